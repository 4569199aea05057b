#include "runner/report/bootstrap.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <random>
#include <vector>

namespace sweep::report {
namespace {

/// scipy 1.17.1: stats.bootstrap((differences,), np.mean, n_resamples=200000, method="percentile").
TEST(Bootstrap, AgreesWithScipy) {
  EXPECT_EQ(bootstrap_mean({{-1, 3}, {0, 27}, {1, 10}}), (Interval{0.0, 0.35}));
  EXPECT_EQ(bootstrap_mean({{-1, 250}, {0, 650}, {1, 300}}), (Interval{4.0 / 1200, 0.08}));
  EXPECT_EQ(bootstrap_mean({{0, 15}, {1, 5}}), (Interval{0.1, 0.45}));
  EXPECT_EQ(bootstrap_mean({{-2, 4}, {0, 29}, {1, 10}, {3, 7}}), (Interval{0.12, 0.82}));
}

/// The definition, with images drawn one by one.
TEST(Bootstrap, IsTheLimitOfResamplingImages) {
  std::vector<int> images(200, 0);
  std::fill_n(images.begin(), 50, 1);
  std::fill_n(images.begin() + 50, 20, -1);
  std::mt19937_64 random(7);
  std::vector<double> means(10000);
  for (auto& mean : means) {
    int sum = 0;
    for (std::size_t i = 0; i < images.size(); ++i) sum += images[random() % images.size()];
    mean = sum / 200.0;
  }
  std::sort(means.begin(), means.end());
  const Interval interval = bootstrap_mean({{-1, 20}, {0, 130}, {1, 50}});
  EXPECT_NEAR(interval.low, means[250], 0.0051);
  EXPECT_NEAR(interval.high, means[9750], 0.0051);
}

TEST(Bootstrap, EqualPairsLeaveNoDoubt) {
  EXPECT_EQ(bootstrap_mean({{0, 1000}}), (Interval{0, 0}));
  EXPECT_EQ(bootstrap_mean({{1, 4}}), (Interval{1, 1}));
  EXPECT_EQ(bootstrap_mean({{-1, 1}}), (Interval{-1, -1}));
}

TEST(Bootstrap, IsFastForLargeSets) {
  const auto start = std::chrono::steady_clock::now();
  const Interval interval = bootstrap_mean({{-1, 4000}, {0, 12000}, {1, 10000}});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
  // The normal approximation: 6000/26000 +- 1.96 sqrt((14000/26000 - (6000/26000)^2) / 26000).
  EXPECT_NEAR(interval.low, 0.22230, 1e-4);
  EXPECT_NEAR(interval.high, 0.23923, 1e-4);
}

/// Ten seeds: differences in tenths.
TEST(Bootstrap, TakesItsNormalLimitWhereItWouldBeSlow) {
  const Interval exact = bootstrap_mean({{-10, 3000}, {0, 15000}, {10, 8000}});
  const Interval limit = bootstrap_mean({{-20, 3000}, {0, 15000}, {20, 8000}});
  EXPECT_NEAR(limit.low, 2 * exact.low, 2e-3);
  EXPECT_NEAR(limit.high, 2 * exact.high, 2e-3);
  const Interval far = bootstrap_mean({{-1'000'000'000'000, 1}, {1'000'000'000'000, 1}});
  EXPECT_NEAR(far.high, 1.96e12 / 1.41421, 1e9);
}

}  // namespace
}  // namespace sweep::report
