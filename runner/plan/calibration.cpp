#include "runner/plan/calibration.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/error.hpp"
#include "core/json.hpp"
#include "storage/journal.hpp"

namespace sweep::plan {
namespace {

constexpr std::size_t kKept = 1000;  // of each kind: enough for a median
constexpr double kMostSeconds = 1e8, kMostCost = 1e18;
constexpr std::size_t kMostDevices = 100;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// A line of the journal may hold anything.
void add_event(const Json& event, Calibration& calibration) {
  if (event.value("event", Json()) != "done") return;
  const Json kind = event.value("kind", Json()), cost = event.value("cost", Json()),
             seconds = event.value("seconds", Json()), device = event.value("device", Json());
  if (!kind.is_string() || !cost.is_number() || !seconds.is_number() || !device.is_string())
    return calibration.ignore();
  try {
    calibration.add(storage::artifact_kind_from(kind.get<std::string>()), cost, seconds, device);
  } catch (const Error&) {
    calibration.ignore();
  }
}

}  // namespace

void Calibration::add(storage::ArtifactKind kind, double cost, double seconds,
                      const std::string& device) {
  const bool plausible = cost > 0 && cost < kMostCost && seconds >= 0 && seconds < kMostSeconds;
  if (!plausible) return ignore();
  auto& ratios = ratios_[kind];
  const std::size_t place = added_[kind]++ % kKept;
  if (place == ratios.size())
    ratios.push_back(seconds / cost);
  else
    ratios[place] = seconds / cost;
  ++tasks_;
  if (devices_.size() < kMostDevices) devices_.insert(device);
}

std::optional<double> Calibration::seconds_per_cost(storage::ArtifactKind kind) const {
  if (const auto found = ratios_.find(kind); found != ratios_.end()) return median(found->second);
  std::vector<double> all;
  for (const auto& [other, ratios] : ratios_) all.insert(all.end(), ratios.begin(), ratios.end());
  return all.empty() ? std::nullopt : std::optional(median(all));
}

Calibration measured(const storage::Store& store) {
  Calibration calibration;
  std::error_code error;
  for (const auto& run : std::filesystem::directory_iterator(store.root() / "runs", error))
    storage::for_each_event(run.path() / "journal.jsonl",
                            [&](const Json& event) { add_event(event, calibration); });
  return calibration;
}

}  // namespace sweep::plan
