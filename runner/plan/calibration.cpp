#include "runner/plan/calibration.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/error.hpp"
#include "core/text_table.hpp"
#include "runner/inspect/journal_reader.hpp"
#include "runner/plan/cost.hpp"

namespace sweep::plan {
namespace {

constexpr std::size_t kKept = 1000;  // of each kind: enough for a median
constexpr std::size_t kEnough = 3;   // tasks whose median says more than older ones
constexpr double kMostSeconds = 1e8, kMostCost = 1e18;
constexpr std::size_t kMostDevices = 100, kDeviceWidth = 40;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void add_event(const JsonNode& event, Calibration& calibration) {
  if (event.at("event").text() != "done") return;
  const JsonNode name = event.at("kind");
  const auto kind = storage::find_artifact_kind(name.text());
  name.check(kind.has_value(), "the kind of an artifact");
  calibration.add(*kind, event.at("cost").number(), event.at("seconds").number(),
                  event.at("device").text());
}

std::vector<std::filesystem::path> journals_of(const storage::Store& store) {
  std::vector<std::filesystem::path> journals;
  std::error_code error;
  std::filesystem::directory_iterator run(store.root() / "runs", error), end;
  for (; !error && run != end; run.increment(error))
    journals.push_back(run->path() / "journal.jsonl");
  std::sort(journals.begin(), journals.end());
  return journals;
}

}  // namespace

WorkKind::WorkKind(storage::ArtifactKind of, double cost)
    : kind(of), joins(of == storage::ArtifactKind::adversarial_set && cost <= kJoiningCost) {}

std::optional<double> Rates::seconds(storage::ArtifactKind kind, double cost) const {
  if (const auto found = rates_.find({kind, cost}); found != rates_.end())
    return cost * found->second.seconds_per_cost;
  double all_seconds = 0, all_cost = 0;
  for (const auto& [work, rate] : rates_) {
    if (work.joins && rates_.size() > 1) continue;
    all_seconds += rate.seconds_per_cost * rate.cost;
    all_cost += rate.cost;
  }
  return all_cost > 0 ? std::optional(cost * (all_seconds / all_cost)) : std::nullopt;
}

void Rates::prefer(const Rates& newer) {
  for (const auto& [work, rate] : newer.rates_) {
    const auto [known, is_new] = rates_.emplace(work, rate);
    if (!is_new && rate.tasks >= kEnough) known->second = rate;
  }
}

void Calibration::add(storage::ArtifactKind kind, double cost, double seconds,
                      const std::string& device) {
  // Compared so that what is no number at all is refused as well.
  const bool plausible = cost > 0 && cost < kMostCost && seconds >= 0 && seconds < kMostSeconds &&
                         seconds / cost < kMostSeconds;
  if (!plausible) return ignore();
  auto& [ratios, all_cost, added] = samples_[{kind, cost}];
  const std::size_t place = added++ % kKept;
  if (place == ratios.size())
    ratios.push_back(seconds / cost);
  else
    ratios[place] = seconds / cost;
  all_cost += cost;
  ++tasks_;
  if (devices_.size() < kMostDevices) devices_.insert(clipped(printable(device), kDeviceWidth));
}

Rates Calibration::rates() const {
  std::map<WorkKind, Rates::Rate> rates;
  for (const auto& [work, samples] : samples_)
    rates[work] = {median(samples.ratios), samples.cost, samples.tasks};
  return Rates(std::move(rates));
}

Calibration measured(const storage::Store& store) {
  Calibration calibration;
  for (const auto& path : journals_of(store)) {
    inspect::JournalReader journal(path);
    try {
      journal.poll([&](const JsonNode& event) { add_event(event, calibration); });
    } catch (const Error&) {
      calibration.ignore();  // one that can't be read: no reason not to run
    }
    calibration.ignore(journal.left_out());
  }
  return calibration;
}

}  // namespace sweep::plan
