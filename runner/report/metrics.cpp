#include "runner/report/metrics.hpp"

#include <algorithm>
#include <numeric>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::report {
namespace {

std::size_t index(Metric metric) {
  return static_cast<std::size_t>(metric);
}

/// Nothing where there is nothing to divide by.
std::optional<Measurement> proportion(std::int64_t count, std::int64_t n) {
  if (n == 0) return std::nullopt;
  return Measurement{100.0 * static_cast<double>(count) / static_cast<double>(n), count, n};
}

std::optional<Measurement> mean(std::span<const float> values) {
  if (values.empty()) return std::nullopt;
  const auto n = static_cast<std::int64_t>(values.size());
  return Measurement{std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(n), 0,
                     n};
}

/// Of an even number of values the mean of the two in the middle.
std::optional<Measurement> median(std::vector<float> values) {
  if (values.empty()) return std::nullopt;
  const std::size_t half = values.size() / 2;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(half);
  std::nth_element(values.begin(), middle, values.end());
  double value = *middle;
  if (values.size() % 2 == 0) value = (value + *std::max_element(values.begin(), middle)) / 2;
  return Measurement{value, 0, static_cast<std::int64_t>(values.size())};
}

std::optional<Measurement> largest(std::span<const float> values) {
  if (values.empty()) return std::nullopt;
  return Measurement{*std::max_element(values.begin(), values.end()), 0,
                     static_cast<std::int64_t>(values.size())};
}

std::optional<Measurement> accuracy(const Evaluation& evaluation) {
  std::int64_t correct = 0;
  for (std::size_t i = 0; i < evaluation.labels.size(); ++i)
    correct += evaluation.labels[i] == evaluation.predictions[i] ? 1 : 0;
  return proportion(correct, static_cast<std::int64_t>(evaluation.labels.size()));
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(FailureType::bad_data, what);
}

void check_same_images(const Observation& seen) {
  const auto& evaluation = *seen.evaluation;
  if (seen.clean != nullptr && seen.clean->labels != evaluation.labels)
    refuse("its labels are not those of the evaluation on clean images");
  if (seen.set != nullptr && seen.set->l2.size() != evaluation.labels.size())
    refuse(concat("its adversarial set has ", seen.set->l2.size(), " images (the evaluation has ",
                  evaluation.labels.size(), ")"));
}

/// Per image, whether the attack reached on this model what it wanted; empty when that can't be
/// known.
std::vector<bool> successes(const Observation& seen) {
  const auto& [labels, predictions, classes] = *seen.evaluation;
  if (seen.targeted && (seen.set == nullptr || seen.set->goal_classes.empty())) return {};
  std::vector<bool> reached(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i)
    reached[i] =
        seen.targeted ? predictions[i] == seen.set->goal_classes[i] : predictions[i] != labels[i];
  return reached;
}

void measure_success(const Observation& seen, const std::vector<bool>& reached,
                     PerMetric<Measurement>& measured) {
  measured[index(Metric::success)] = proportion(std::count(reached.begin(), reached.end(), true),
                                                static_cast<std::int64_t>(reached.size()));
  if (seen.clean == nullptr) return;
  std::int64_t correct = 0, turned = 0;
  for (std::size_t i = 0; i < reached.size(); ++i) {
    const bool was_right = seen.clean->labels[i] == seen.clean->predictions[i];
    correct += was_right ? 1 : 0;
    turned += was_right && reached[i] ? 1 : 0;
  }
  measured[index(Metric::success_of_correct)] = proportion(turned, correct);
}

}  // namespace

const std::array<MetricInfo, kMetrics>& metric_infos() {
  static const std::array<MetricInfo, kMetrics> infos{{
      {"accuracy", "", "accuracy"},
      {"clean_accuracy", "_clean_accuracy", "accuracy on clean images"},
      {"success", "_success", "attack success rate over all images"},
      {"success_of_correct", "_success_of_correct",
       "attack success rate over the images that the model gets right clean"},
      {"mean_l2", "_l2", "mean L2 distance over all images", false},
      {"median_l2", "_median_l2", "median L2 distance over all images", false},
      {"mean_l2_of_successes", "_l2_of_successes", "mean L2 distance over successes", false},
      {"median_l2_of_successes", "_median_l2_of_successes", "median L2 distance over successes",
       false},
      {"max_linf", "_max_linf", "largest Linf distance", false},
  }};
  return infos;
}

const MetricInfo& info(Metric metric) {
  return metric_infos()[index(metric)];
}

PerMetric<Measurement> measure(const Observation& seen) {
  PerMetric<Measurement> measured;
  if (seen.clean != nullptr) measured[index(Metric::clean_accuracy)] = accuracy(*seen.clean);
  if (seen.set != nullptr) {
    measured[index(Metric::mean_l2)] = mean(seen.set->l2);
    measured[index(Metric::median_l2)] = median(seen.set->l2);
    measured[index(Metric::max_linf)] = largest(seen.set->linf);
  }
  if (seen.evaluation == nullptr) return measured;
  check_same_images(seen);
  measured[index(Metric::accuracy)] = accuracy(*seen.evaluation);
  if (!seen.attacked) return measured;
  const std::vector<bool> reached = successes(seen);
  if (reached.empty()) return measured;
  measure_success(seen, reached, measured);
  if (seen.set == nullptr) return measured;
  std::vector<float> l2;
  for (std::size_t i = 0; i < reached.size(); ++i)
    if (reached[i]) l2.push_back(seen.set->l2[i]);
  measured[index(Metric::mean_l2_of_successes)] = mean(l2);
  measured[index(Metric::median_l2_of_successes)] = median(std::move(l2));
  return measured;
}

std::optional<Estimate> estimate(Metric metric, std::span<const PerMetric<Measurement>> trials) {
  std::vector<double> values;
  Estimate result;
  for (const auto& trial : trials)
    if (const auto& measurement = trial[index(metric)]) {
      values.push_back(measurement->value);
      result.count += measurement->count;
      result.n += measurement->n;
    }
  if (values.empty()) return std::nullopt;
  const Spread over_seeds = spread(values);
  result.seeds = values.size();
  result.value = metric == Metric::max_linf ? *std::max_element(values.begin(), values.end())
                                            : over_seeds.mean;
  result.std = over_seeds.std;
  result.ci95 = over_seeds.ci95;
  if (!info(metric).proportion) return result;
  // The seeds share their images: together they say no more about other images than one of them.
  const double images = static_cast<double>(result.n) / static_cast<double>(values.size());
  const Interval share = wilson(result.value / 100, images);
  result.interval = Interval{100 * share.low, 100 * share.high};
  return result;
}

void add_to(Confusion& confusion, const Evaluation& evaluation) {
  const auto classes = std::max(confusion.size(), static_cast<std::size_t>(evaluation.classes));
  confusion.resize(classes);
  for (auto& row : confusion) row.resize(classes);
  for (std::size_t i = 0; i < evaluation.labels.size(); ++i)
    ++confusion[static_cast<std::size_t>(evaluation.labels[i])]
               [static_cast<std::size_t>(evaluation.predictions[i])];
}

}  // namespace sweep::report
