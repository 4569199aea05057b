#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runner/report/artifacts.hpp"
#include "runner/report/statistics.hpp"

namespace sweep::report {

/// What a cell can show. docs/metrics.md has the definitions.
enum class Metric {
  accuracy,
  clean_accuracy,
  success,
  success_of_correct,
  mean_l2,
  median_l2,
  mean_l2_of_successes,
  median_l2_of_successes,
  max_linf,
};

struct MetricInfo {
  std::string name;        ///< as in --stat and in JSON
  std::string csv_suffix;  ///< behind the column's label
  std::string title;       ///< for people
  bool proportion = true;  ///< in percent, with a Wilson interval; else a distance, pixels in [0,1]
};

inline constexpr std::size_t kMetrics = 9;
const std::array<MetricInfo, kMetrics>& metric_infos();
const MetricInfo& info(Metric metric);
template <class T>
using PerMetric = std::array<std::optional<T>, kMetrics>;

/// A metric of one trial.
struct Measurement {
  double value = 0;        ///< percent, or a distance
  std::int64_t count = 0;  ///< of a proportion: the numerator
  std::int64_t n = 0;      ///< the images that it is over
};

/// What is known of one trial in one column. Null: not there.
struct Observation {
  const Evaluation* evaluation = nullptr;
  const Evaluation* clean = nullptr;  ///< of the same model on the clean images
  const AdversarialSet* set = nullptr;
  bool attacked = false;  ///< the column has an attack
  bool targeted = false;  ///< which wants a certain class
};

/// Every metric that is defined and whose artifacts are there.
/// @throws Error{bad_data} when the artifacts are not of the same images
PerMetric<Measurement> measure(const Observation& observation);

/// A metric of a cell: over the seeds of its row.
struct Estimate {
  double value = 0;  ///< the mean over the seeds; of max_linf the largest
  std::optional<double> std;
  std::optional<Interval> ci95;      ///< of the mean over seeds, Student's t
  std::optional<Interval> interval;  ///< of a proportion: Wilson's, for the images of one seed
  std::int64_t count = 0, n = 0;     ///< summed over the seeds
  std::size_t seeds = 0;
};

/// @param trials  of one cell; those without the metric do not count
std::optional<Estimate> estimate(Metric metric, std::span<const PerMetric<Measurement>> trials);

/// Images by [label][prediction].
using Confusion = std::vector<std::vector<std::int64_t>>;

/// Adds the images of an evaluation; the matrix grows to its classes.
void add_to(Confusion& confusion, const Evaluation& evaluation);

}  // namespace sweep::report
