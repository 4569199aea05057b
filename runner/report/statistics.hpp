#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace sweep::report {

/// Both ends belong to it.
struct Interval {
  double low = 0, high = 0;
  bool operator==(const Interval&) const = default;
};

inline bool contains(const Interval& interval, double value) {
  return interval.low <= value && value <= interval.high;
}

/// Wilson's 95 % score interval, without continuity correction, of a proportion in [0,1] that was
/// observed over n > 0 trials; n need not be whole. E. B. Wilson, JASA 22 (1927) 209; method 3 of
/// R. G. Newcombe, Statistics in Medicine 17 (1998) 857.
Interval wilson(double proportion, double n);

/// Whether two classifiers are right equally often on the same images.
struct McNemar {
  std::int64_t only_first = 0;   ///< images that only the first gets right
  std::int64_t only_second = 0;  ///< images that only the second gets right
  bool exact = true;             ///< binomial test; else chi-square with continuity correction
  double p = 1;                  ///< two-sided
};

/// Exact below 25 images that only one of the two gets right. Q. McNemar, Psychometrika 12 (1947)
/// 153; continuity correction: A. L. Edwards, Psychometrika 13 (1948) 185.
McNemar mcnemar(std::int64_t only_first, std::int64_t only_second);

/// The value that Student's t exceeds in absolute value with probability 5 %.
/// @param degrees  of freedom, at least 1
double student_t95(std::int64_t degrees);

/// How much a value differs between seeds.
struct Spread {
  double mean = 0;
  std::optional<double> std;     ///< with n - 1; none for one value
  std::optional<Interval> ci95;  ///< of the mean, by Student's t; none for one value
};

/// @param values  at least one
Spread spread(std::span<const double> values);

}  // namespace sweep::report
