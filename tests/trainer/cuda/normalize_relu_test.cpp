#include <limits>

#include "tests/trainer/cuda/normalization.hpp"

namespace sweep::cuda::test {
namespace {

class NormalizeReluTest : public testing::TestWithParam<NormalizationCase> {};
INSTANTIATE_TEST_SUITE_P(Sizes, NormalizeReluTest, testing::ValuesIn(normalization_cases()));

TEST_P(NormalizeReluTest, IsTheFormula) {
  const NormalizationInput of(GetParam());
  const Normalized got = in_both_orders([&] { return normalize(of); });
  const Normalized before(of);
  const auto [rows, channels] = of.pixels;
  for (std::int64_t c = 0; c < channels; ++c) {
    const auto [mean, variance] = moments(of, c);
    const double inverse_deviation = 1 / std::sqrt(variance + of.eps);
    ASSERT_NEAR(got.mean[c], mean, 2e-6) << c;
    ASSERT_NEAR(got.inverse_deviation[c] / inverse_deviation, 1, 2e-6) << c;
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t i = row * channels + c;
      const double normalized = (of.x[i] - mean) * inverse_deviation * of.weight[c] + of.bias[c];
      const double y = std::max(normalized + (of.residual ? (*of.residual)[i] : 0), 0.0);
      ASSERT_NEAR(got.y[i], y, 2e-5 + y * rounding(of.type)) << row << ' ' << c;
    }
    const auto moved = [&](double from, double towards) {
      return from + of.momentum * (towards - from);
    };
    const double count = static_cast<double>(rows);
    ASSERT_NEAR(got.running_mean[c], moved(before.running_mean[c], mean), 1e-6);
    ASSERT_NEAR(got.running_variance[c],
                moved(before.running_variance[c], variance * count / (count - 1)), 1e-6);
  }
}

TEST(NormalizeRelu, HasTheVarianceOfValuesFarFromZero) {
  const NormalizationInput of({Real::float32, 20011, 24, false, 1000, 0.1});
  const Normalized got = normalize(of);
  for (std::int64_t c = 0; c < of.pixels.channels; ++c) {
    const auto [mean, variance] = moments(of, c);
    EXPECT_NEAR(got.mean[c], mean, 1000 * 0x1p-24);
    EXPECT_NEAR(got.inverse_deviation[c] * std::sqrt(variance + of.eps), 1, 1e-5);
  }
}

TEST(NormalizeRelu, LeavesRunningStatisticsAloneWithoutThem) {
  const NormalizationInput of({Real::float32, 100, 8, false});
  const Normalized with = normalize(of), without = normalize(of, false), before(of);
  EXPECT_EQ(without.y, with.y);
  EXPECT_EQ(without.running_mean, before.running_mean);
  EXPECT_EQ(without.running_variance, before.running_variance);
}

TEST(NormalizeRelu, OfConstantsIsTheBias) {
  NormalizationInput of({Real::bfloat16, 50, 8, false});
  for (std::int64_t i = 0; i < of.x.size(); ++i) of.x.set(i, 3);
  const Normalized got = normalize(of);
  for (std::int64_t i = 0; i < of.x.size(); ++i)
    EXPECT_NEAR(got.y[i], std::max(of.bias[i % 8], 0.0f), 0x1p-8);
}

TEST(NormalizeRelu, OfOneRowKeepsTheRunningVarianceFinite) {
  const Normalized got = normalize(NormalizationInput({Real::float32, 1, 8, false}));
  for (std::int64_t c = 0; c < 8; ++c) EXPECT_TRUE(std::isfinite(got.running_variance[c]));
}

TEST(NormalizeRelu, KeepsNan) {
  NormalizationInput of({Real::float32, 50, 8, false});
  of.x.set(8 * 20 + 3, std::numeric_limits<double>::quiet_NaN());
  const Normalized got = normalize(of);
  for (std::int64_t c = 0; c < 8; ++c) {
    EXPECT_EQ(std::isnan(got.y[c]), c == 3);
    EXPECT_EQ(std::isnan(got.inverse_deviation[c]), c == 3);
  }
}

TEST(NormalizeRelu, OfNothingDoesNothing) {
  const NormalizationInput of({Real::float32, 0, 8, false});
  const Normalized got = normalize(of), before(of);
  EXPECT_EQ(got, before);
}

}  // namespace
}  // namespace sweep::cuda::test
