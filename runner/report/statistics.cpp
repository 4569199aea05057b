#include "runner/report/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

namespace sweep::report {
namespace {

constexpr double kPi = 3.141592653589793;
constexpr double kZ95 = 1.959963984540054;  // 97.5 % quantile of the standard normal distribution
constexpr std::int64_t kExactBelow = 25;

/// Twice the smaller tail of a fair binomial distribution.
double binomial_p(std::int64_t smaller, std::int64_t n) {
  double tail = 0;
  for (std::int64_t i = 0; i <= smaller; ++i) {
    const double choose = std::lgamma(n + 1.0) - std::lgamma(i + 1.0) - std::lgamma(n - i + 1.0);
    tail += std::exp(choose - static_cast<double>(n) * std::log(2.0));
  }
  return std::min(1.0, 2 * tail);
}

/// The tail of the chi-square distribution with one degree of freedom.
double chi_square_p(double statistic) {
  return std::erfc(std::sqrt(statistic / 2));
}

/// P(|T| <= t), by the finite series for whole degrees of freedom: Abramowitz and Stegun, 26.7.3
/// and 26.7.4.
double student_within(double t, std::int64_t degrees) {
  const double angle = std::atan(t / std::sqrt(static_cast<double>(degrees)));
  const bool odd = degrees % 2 == 1;
  double term = odd ? std::cos(angle) : 1, sum = degrees == 1 ? 0 : term;
  for (std::int64_t k = odd ? 3 : 2; k < degrees; k += 2) {
    const auto upper = static_cast<double>(k - 1);
    term *= upper / (upper + 1) * std::cos(angle) * std::cos(angle);
    sum += term;
  }
  return odd ? 2 / kPi * (angle + std::sin(angle) * sum) : std::sin(angle) * sum;
}

}  // namespace

Interval wilson(double proportion, double n) {
  const double z2 = kZ95 * kZ95;
  const double middle = proportion + z2 / (2 * n);
  const double half = kZ95 * std::sqrt(proportion * (1 - proportion) / n + z2 / (4 * n * n));
  const double scale = 1 + z2 / n;
  // Where nothing or everything was observed, the end is exactly there, and rounding must not move
  // it.
  return {proportion <= 0 ? 0 : std::max(0.0, (middle - half) / scale),
          proportion >= 1 ? 1 : std::min(1.0, (middle + half) / scale)};
}

McNemar mcnemar(std::int64_t only_first, std::int64_t only_second) {
  const std::int64_t discordant = only_first + only_second;
  McNemar test{only_first, only_second, discordant < kExactBelow};
  if (test.exact) {
    test.p = binomial_p(std::min(only_first, only_second), discordant);
  } else {
    const auto apart = static_cast<double>(std::abs(only_first - only_second));
    const double corrected = std::max(0.0, apart - 1);
    test.p = chi_square_p(corrected * corrected / static_cast<double>(discordant));
  }
  return test;
}

double student_t95(std::int64_t degrees) {
  double low = 0, high = 16;  // 12.7 for one degree
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (student_within(middle, degrees) < 0.95 ? low : high) = middle;
  }
  return high;
}

Spread spread(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  Spread result{std::accumulate(values.begin(), values.end(), 0.0) / n, {}, {}};
  if (values.size() < 2) return result;
  double squares = 0;
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  result.std = std::sqrt(squares / (n - 1));
  const double half =
      student_t95(static_cast<std::int64_t>(values.size()) - 1) * *result.std / std::sqrt(n);
  result.ci95 = Interval{result.mean - half, result.mean + half};
  return result;
}

}  // namespace sweep::report
