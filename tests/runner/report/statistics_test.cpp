#include "runner/report/statistics.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace sweep::report {
namespace {

void expect_wilson(double count, double n, double low, double high, double tolerance) {
  const Interval interval = wilson(count / n, n);
  EXPECT_NEAR(interval.low, low, tolerance) << count << " of " << n;
  EXPECT_NEAR(interval.high, high, tolerance) << count << " of " << n;
}

/// R. G. Newcombe, Statistics in Medicine 17 (1998) 857, Table I, method 3.
TEST(Wilson, AgreesWithNewcombesTable) {
  expect_wilson(81, 263, 0.2553, 0.3662, 5e-5);
  expect_wilson(15, 148, 0.0624, 0.1605, 5e-5);
  expect_wilson(0, 20, 0, 0.1611, 5e-5);
  expect_wilson(1, 29, 0.0061, 0.1718, 5e-5);
}

/// statsmodels 0.15.0, proportion_confint(count, n, method="wilson").
TEST(Wilson, AgreesWithStatsmodels) {
  expect_wilson(81, 263, 0.255288519878, 0.366209576983, 1e-11);
  expect_wilson(784, 1000, 0.757433410129, 0.808392991051, 1e-11);
  expect_wilson(1, 1, 0.206549314377, 1, 1e-11);
}

TEST(Wilson, EndsExactlyWhereNothingElseWasSeen) {
  EXPECT_EQ(wilson(0, 20).low, 0);
  EXPECT_EQ(wilson(1, 20).high, 1);
  for (int n = 1; n < 2000; ++n) {
    EXPECT_EQ(wilson(1, n).high, 1) << n;
    EXPECT_GE(wilson(1.0 / n, n).low, 0) << n;
  }
}

/// statsmodels 0.15.0, mcnemar(table, exact=True).pvalue
TEST(McNemarTest, IsExactForFewImages) {
  EXPECT_NEAR(mcnemar(10, 3).p, 0.09228515625, 1e-12);
  EXPECT_NEAR(mcnemar(0, 5).p, 0.0625, 1e-12);
  EXPECT_NEAR(mcnemar(3, 21).p, 0.0002771615982055664, 1e-14);
  EXPECT_NEAR(mcnemar(24, 0).p, 1.1920928955078125e-07, 1e-18);
  EXPECT_TRUE(mcnemar(24, 0).exact);
  EXPECT_EQ(mcnemar(12, 12).p, 1);
}

/// statsmodels 0.15.0, mcnemar(table, exact=False, correction=True).pvalue. The second table is the
/// approval of the British prime minister (A. Agresti, Categorical Data Analysis).
TEST(McNemarTest, IsCorrectedChiSquareForMany) {
  EXPECT_NEAR(mcnemar(121, 59).p, 5.450094825427117e-06, 1e-17);
  EXPECT_NEAR(mcnemar(150, 86).p, 4.114562281345944e-05, 1e-16);
  EXPECT_NEAR(mcnemar(300, 250).p, 0.03667469760670498, 1e-13);
  EXPECT_FALSE(mcnemar(13, 12).exact);
  EXPECT_EQ(mcnemar(13, 12).p, 1);
}

TEST(McNemarTest, EqualClassifiersDoNotDiffer) {
  EXPECT_EQ(mcnemar(0, 0).p, 1);
  EXPECT_EQ(mcnemar(100, 100).p, 1);
}

/// scipy 1.17.1, stats.t.ppf(0.975, degrees).
TEST(StudentT, AgreesWithScipy) {
  EXPECT_NEAR(student_t95(1), 12.706204736175, 1e-9);
  EXPECT_NEAR(student_t95(2), 4.302652729749, 1e-9);
  EXPECT_NEAR(student_t95(3), 3.182446305284, 1e-9);
  EXPECT_NEAR(student_t95(4), 2.776445105198, 1e-9);
  EXPECT_NEAR(student_t95(9), 2.262157162798, 1e-9);
  EXPECT_NEAR(student_t95(30), 2.042272456301, 1e-9);
  EXPECT_NEAR(student_t95(99), 1.984216951586, 1e-9);
}

/// numpy std(ddof=1), scipy 1.17.1 stats.t.interval(0.95, 2, loc=mean, scale=sem).
TEST(SpreadOverSeeds, AgreesWithScipy) {
  const Spread three = spread(std::vector{84.28, 81.32, 82.74});
  EXPECT_NEAR(three.mean, 82.78, 1e-12);
  EXPECT_NEAR(three.std.value(), 1.480405349895768, 1e-12);
  EXPECT_NEAR(three.ci95.value().low, 79.10246924164697, 1e-8);
  EXPECT_NEAR(three.ci95.value().high, 86.457530758353, 1e-8);
}

TEST(SpreadOverSeeds, OneSeedHasNone) {
  const Spread one = spread(std::vector{84.28});
  EXPECT_EQ(one.mean, 84.28);
  EXPECT_FALSE(one.std);
  EXPECT_FALSE(one.ci95);
}

}  // namespace
}  // namespace sweep::report
