#include "runner/report/metrics.hpp"

#include <gtest/gtest.h>

#include "tests/support/message_of.hpp"

namespace sweep::report {
namespace {

/// Six images of three classes. The model gets 0, 1, 2 and 4 right clean; of the adversarial images
/// 1, 3 and 4.
struct Example {
  Evaluation clean{{0, 1, 2, 0, 1, 2}, {0, 1, 2, 1, 1, 0}, 3};
  Evaluation evaluation{{0, 1, 2, 0, 1, 2}, {1, 1, 0, 0, 1, 1}, 3};
  AdversarialSet set{{1, 2, 0, 1, 2, 0},
                     {1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 9.0F},
                     {0.1F, 0.2F, 0.5F, 0.25F, 0.3F, 0.4F},
                     5};
  Observation seen{&evaluation, &clean, &set, true, false};

  std::optional<Measurement> operator()(Metric metric) const {
    return measure(seen)[static_cast<std::size_t>(metric)];
  }
};

void expect_proportion(const std::optional<Measurement>& measured, int count, int n) {
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->count, count);
  EXPECT_EQ(measured->n, n);
  EXPECT_DOUBLE_EQ(measured->value, 100.0 * count / n);
}

void expect_distance(const std::optional<Measurement>& measured, double value, int n) {
  ASSERT_TRUE(measured);
  EXPECT_DOUBLE_EQ(measured->value, value);
  EXPECT_EQ(measured->n, n);
}

TEST(Measure, CountsProportions) {
  const Example example;
  expect_proportion(example(Metric::accuracy), 3, 6);
  expect_proportion(example(Metric::clean_accuracy), 4, 6);
  expect_proportion(example(Metric::success), 3, 6);
  // Of 0, 1, 2 and 4: 0 and 2. Image 5 was wrong before, 3 became right.
  expect_proportion(example(Metric::success_of_correct), 2, 4);
}

TEST(Measure, TakesDistancesOverAllAndOverSuccesses) {
  const Example example;
  expect_distance(example(Metric::mean_l2), 4, 6);
  expect_distance(example(Metric::median_l2), 3.5, 6);
  expect_distance(example(Metric::mean_l2_of_successes), (1 + 3 + 9) / 3.0, 3);
  expect_distance(example(Metric::median_l2_of_successes), 3, 3);
  expect_distance(example(Metric::max_linf), 0.5, 6);
}

/// Goals 1, 2, 0, 1, 2, 0; answers 1, 1, 0, 0, 1, 1.
TEST(Measure, ATargetedAttackHasToReachItsClass) {
  Example example;
  example.seen.targeted = true;
  expect_proportion(example(Metric::success), 2, 6);
  expect_proportion(example(Metric::success_of_correct), 2, 4);
  expect_distance(example(Metric::mean_l2_of_successes), 2, 2);
  example.set.goal_classes.clear();
  EXPECT_FALSE(example(Metric::success));
  EXPECT_TRUE(example(Metric::accuracy));
}

TEST(Measure, WithoutAnArtifactItsMetricsAreMissing) {
  Example example;
  example.seen.clean = nullptr;
  EXPECT_FALSE(example(Metric::clean_accuracy));
  EXPECT_FALSE(example(Metric::success_of_correct));
  EXPECT_TRUE(example(Metric::success));
  example.seen.set = nullptr;
  EXPECT_FALSE(example(Metric::mean_l2));
  EXPECT_FALSE(example(Metric::mean_l2_of_successes));
  EXPECT_TRUE(example(Metric::success));
  example.seen = {nullptr, nullptr, &example.set, true, false};
  EXPECT_FALSE(example(Metric::accuracy));
  EXPECT_FALSE(example(Metric::success));
  EXPECT_TRUE(example(Metric::mean_l2));
}

TEST(Measure, CleanColumnsHaveNoAttack) {
  Example example;
  example.seen = {&example.clean, &example.clean, nullptr, false, false};
  expect_proportion(example(Metric::accuracy), 4, 6);
  EXPECT_FALSE(example(Metric::success));
}

TEST(Measure, NothingIsDividedByZero) {
  Example example;
  example.evaluation.predictions = example.evaluation.labels;  // no image was turned
  expect_proportion(example(Metric::success), 0, 6);
  EXPECT_FALSE(example(Metric::mean_l2_of_successes));
  EXPECT_FALSE(example(Metric::median_l2_of_successes));
  example.clean.predictions = {1, 2, 0, 1, 2, 0};
  EXPECT_FALSE(example(Metric::success_of_correct));
}

TEST(Measure, RefusesOtherImages) {
  Example example;
  example.clean.labels = {0, 1, 2, 0, 2, 1};
  test_support::message_of([&] { measure(example.seen); }, FailureType::bad_data);
  example.clean.labels = example.evaluation.labels;
  measure(example.seen);
  example.set.l2.pop_back();
  test_support::message_of([&] { measure(example.seen); }, FailureType::bad_data);
}

PerMetric<Measurement> with(Metric metric, const Measurement& measurement) {
  PerMetric<Measurement> trial;
  trial[static_cast<std::size_t>(metric)] = measurement;
  return trial;
}

TEST(EstimateOverSeeds, IsTheMeanAndItsSpread) {
  const std::vector<PerMetric<Measurement>> trials{
      with(Metric::accuracy, {80, 80, 100}), {}, with(Metric::accuracy, {90, 90, 100})};
  const auto accuracy = estimate(Metric::accuracy, trials);
  ASSERT_TRUE(accuracy);
  EXPECT_EQ(accuracy->value, 85);
  EXPECT_EQ(accuracy->seeds, 2U);
  EXPECT_EQ(accuracy->count, 170);
  EXPECT_EQ(accuracy->n, 200);
  EXPECT_NEAR(*accuracy->std, 7.0710678, 1e-6);
  // The interval of 85 of 100: two seeds do not make 200 images of the same 100.
  const Interval one_seed = wilson(0.85, 100);
  EXPECT_DOUBLE_EQ(accuracy->interval->low, 100 * one_seed.low);
  EXPECT_DOUBLE_EQ(accuracy->interval->high, 100 * one_seed.high);
  EXPECT_FALSE(estimate(Metric::success, trials));
}

TEST(EstimateOverSeeds, OfALargestValueIsTheLargest) {
  const std::vector<PerMetric<Measurement>> trials{with(Metric::max_linf, {0.1, 0, 10}),
                                                   with(Metric::max_linf, {0.3, 0, 10})};
  EXPECT_EQ(estimate(Metric::max_linf, trials)->value, 0.3);
  EXPECT_FALSE(estimate(Metric::max_linf, trials)->interval);
}

TEST(ConfusionMatrix, CountsByLabelAndPrediction) {
  const Example example;
  Confusion confusion;
  add_to(confusion, example.evaluation);
  EXPECT_EQ(confusion, (Confusion{{1, 1, 0}, {0, 2, 0}, {1, 1, 0}}));
  add_to(confusion, {{3}, {0}, 4});
  EXPECT_EQ(confusion, (Confusion{{1, 1, 0, 0}, {0, 2, 0, 0}, {1, 1, 0, 0}, {1, 0, 0, 0}}));
}

}  // namespace
}  // namespace sweep::report
