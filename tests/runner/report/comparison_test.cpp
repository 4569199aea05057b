#include "runner/report/comparison.hpp"

#include <gtest/gtest.h>

#include "runner/report/bootstrap.hpp"

namespace sweep::report {
namespace {

/// 100 images of class 0; those whose number is below `right` are recognised.
Evaluation right_below(int right) {
  Evaluation evaluation{std::vector<std::int32_t>(100, 0), std::vector<std::int32_t>(100, 1), 2};
  for (int i = 0; i < right; ++i) evaluation.predictions[static_cast<std::size_t>(i)] = 0;
  return evaluation;
}

TEST(Compare, OnePairIsMcNemarAndTheBootstrap) {
  const Evaluation ours = right_below(70), reference = right_below(60);
  const auto comparison = compare({{3, &ours}}, {{5, &reference}}, "NA");
  ASSERT_TRUE(comparison);
  EXPECT_EQ(comparison->reference, "NA");
  EXPECT_DOUBLE_EQ(comparison->difference, 10);
  const Interval interval = bootstrap_mean({{0, 90}, {1, 10}});
  EXPECT_DOUBLE_EQ(comparison->interval.low, 100 * interval.low);
  EXPECT_DOUBLE_EQ(comparison->interval.high, 100 * interval.high);
  ASSERT_EQ(comparison->pairs.size(), 1U);
  EXPECT_EQ(comparison->pairs[0].seed, 3);
  EXPECT_EQ(comparison->pairs[0].reference_seed, 5);
  EXPECT_DOUBLE_EQ(comparison->pairs[0].mcnemar.p, mcnemar(10, 0).p);
}

/// Two seeds beside three: shares of an image in sixths.
TEST(Compare, SeedsOfBothAreMeans) {
  const Evaluation a = right_below(70), b = right_below(50), c = right_below(40);
  const auto comparison = compare({{0, &a}, {1, &b}}, {{0, &c}, {1, &c}, {2, &b}}, "NA");
  ASSERT_TRUE(comparison);
  EXPECT_NEAR(comparison->difference, 60 - 130 / 3.0, 1e-12);
  // Images 0-39: 1 - 1; 40-49: 1 - 1/3; 50-69: 1/2 - 0; 70-99: 0.
  const Interval interval = bootstrap_mean({{0, 70}, {4, 10}, {3, 20}});
  EXPECT_DOUBLE_EQ(comparison->interval.low, 100 * interval.low / 6);
  EXPECT_DOUBLE_EQ(comparison->interval.high, 100 * interval.high / 6);
  EXPECT_TRUE(comparison->pairs.empty());
}

TEST(Compare, NeedsTheSameImages) {
  const Evaluation ours = right_below(70);
  Evaluation other = right_below(70);
  other.labels[7] = 1;
  EXPECT_FALSE(compare({{0, &ours}}, {{0, &other}}, "NA"));
  EXPECT_FALSE(compare({}, {{0, &other}}, "NA"));
  EXPECT_FALSE(compare({{0, &ours}}, {}, "NA"));
}

}  // namespace
}  // namespace sweep::report
