#include "runner/report/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace sweep::report {
namespace {

/// Probabilities of the whole numbers from `first` on.
struct Distribution {
  std::int64_t first = 0;
  std::vector<double> probabilities;
};

/// Without the tails that no quantile can see. They would make the work quadratic in the images.
Distribution trimmed(Distribution whole) {
  constexpr double kNothing = 1e-16;
  auto& p = whole.probabilities;
  std::size_t low = 0, high = p.size();
  for (double tail = 0; low + 1 < high && (tail += p[low]) < kNothing;) ++low;
  for (double tail = 0; high > low + 1 && (tail += p[high - 1]) < kNothing;) --high;
  return {whole.first + static_cast<std::int64_t>(low),
          {p.begin() + static_cast<std::ptrdiff_t>(low),
           p.begin() + static_cast<std::ptrdiff_t>(high)}};
}

/// Of the sum of two independent numbers.
Distribution sum_of(const Distribution& a, const Distribution& b) {
  Distribution sum{a.first + b.first,
                   std::vector<double>(a.probabilities.size() + b.probabilities.size() - 1)};
  for (std::size_t i = 0; i < a.probabilities.size(); ++i)
    for (std::size_t j = 0; j < b.probabilities.size(); ++j)
      sum.probabilities[i + j] += a.probabilities[i] * b.probabilities[j];
  return trimmed(std::move(sum));
}

/// Of the sum of n draws, by squaring.
Distribution sum_of_draws(Distribution one, std::int64_t n) {
  Distribution sum{0, {1.0}};
  for (; n > 0; n /= 2) {
    if (n % 2 == 1) sum = sum_of(sum, one);
    if (n > 1) one = sum_of(one, one);
  }
  return sum;
}

/// The smallest number with at least the probability `share` up to it.
std::int64_t quantile(const Distribution& distribution, double share) {
  constexpr double kRounding = 1e-12;
  double below = 0;
  std::size_t i = 0;
  for (; i + 1 < distribution.probabilities.size(); ++i)
    if ((below += distribution.probabilities[i]) >= share - kRounding) break;
  return distribution.first + static_cast<std::int64_t>(i);
}

/// What the distribution comes to for many images.
Interval normal_limit(const std::map<std::int64_t, std::int64_t>& frequencies, double n) {
  constexpr double kZ95 = 1.959963984540054;
  double sum = 0, squares = 0;
  for (const auto& [number, count] : frequencies) {
    const auto value = static_cast<double>(number), times = static_cast<double>(count);
    sum += times * value;
    squares += times * value * value;
  }
  const double mean = sum / n;
  const double half = kZ95 * std::sqrt(std::max(0.0, squares / n - mean * mean) / n);
  return {mean - half, mean + half};
}

}  // namespace

Interval bootstrap_mean(const std::map<std::int64_t, std::int64_t>& frequencies) {
  // The work grows with (largest difference)^2 x images.
  constexpr double kMostWork = 4e6;
  std::int64_t images = 0;
  for (const auto& [number, count] : frequencies) images += count;
  const double range = static_cast<double>(frequencies.rbegin()->first) -
                       static_cast<double>(frequencies.begin()->first);
  if (range > 2 && range * range / 4 * static_cast<double>(images) > kMostWork)
    return normal_limit(frequencies, static_cast<double>(images));
  Distribution one{frequencies.begin()->first,
                   std::vector<double>(static_cast<std::size_t>(frequencies.rbegin()->first -
                                                                frequencies.begin()->first + 1))};
  const auto n = static_cast<double>(images);
  for (const auto& [number, count] : frequencies)
    one.probabilities[static_cast<std::size_t>(number - one.first)] =
        static_cast<double>(count) / n;
  const Distribution sum = sum_of_draws(std::move(one), images);
  return {static_cast<double>(quantile(sum, 0.025)) / n,
          static_cast<double>(quantile(sum, 0.975)) / n};
}

}  // namespace sweep::report
