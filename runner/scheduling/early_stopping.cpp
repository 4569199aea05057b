#include "runner/scheduling/early_stopping.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::scheduling {
namespace {

constexpr char kAccuracy[] = "accuracy";  // the one metric that is better when it is higher

/// @param values  sorted
double median_of(const std::vector<double>& values) {
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace

const std::vector<std::string>& stopping_metrics() {
  static const std::vector<std::string> metrics{kAccuracy, "classification", "feature", "loss",
                                                "reconstruction"};
  return metrics;
}

EarlyStopping::EarlyStopping(EarlyStoppingOptions options)
    : options_(std::move(options)), sign_(options_.metric == kAccuracy ? -1 : 1) {
  const auto& metrics = stopping_metrics();
  const bool known_rule =
      options_.rule == "none" || options_.rule == "asha" || options_.rule == "median";
  if (!known_rule || std::find(metrics.begin(), metrics.end(), options_.metric) == metrics.end())
    throw Error(FailureType::internal, concat("there is no early stopping by '", options_.rule,
                                              "' of '", options_.metric, "'"));
}

bool EarlyStopping::keep_going(std::size_t training, std::int64_t epoch, double value) {
  if (options_.rule == "none") return true;
  const double cost =
      std::isfinite(value) ? sign_ * value : std::numeric_limits<double>::infinity();
  if (options_.rule == "asha") {
    if (!is_rung(epoch)) return true;
    rungs_[epoch][training] = cost;
    return survives_rung(training, epoch);
  }
  values_[training][epoch] = cost;
  return epoch < options_.min_epochs || survives_median(training, epoch);
}

bool EarlyStopping::is_rung(std::int64_t epoch) const {
  std::int64_t rung = options_.min_epochs;
  while (rung < epoch && rung <= std::numeric_limits<std::int64_t>::max() / options_.reduction)
    rung *= options_.reduction;
  return rung == epoch;
}

bool EarlyStopping::survives_rung(std::size_t training, std::int64_t epoch) const {
  const auto& reached = rungs_.at(epoch);
  const double own = reached.at(training);
  const auto better = std::count_if(reached.begin(), reached.end(),
                                    [&](const auto& other) { return other.second < own; });
  const auto places =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(reached.size()) / options_.reduction);
  return better < places;
}

bool EarlyStopping::survives_median(std::size_t training, std::int64_t epoch) const {
  const auto averages = averages_.find(epoch);
  if (averages == averages_.end() ||
      static_cast<std::int64_t>(averages->second.size()) < options_.grace)
    return true;
  double best = std::numeric_limits<double>::infinity();
  for (const auto& [at, value] : values_.at(training))
    if (at <= epoch) best = std::min(best, value);
  return best <= median_of(averages->second);
}

void EarlyStopping::complete(std::size_t training) {
  double sum = 0;
  double count = 0;
  for (const auto& [epoch, value] : values_[training]) {
    sum += value;
    count += 1;
    auto& averages = averages_[epoch];
    averages.insert(std::upper_bound(averages.begin(), averages.end(), sum / count), sum / count);
  }
  values_.erase(training);
}

}  // namespace sweep::scheduling
