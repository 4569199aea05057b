#include "tests/trainer/cuda/normalization.hpp"

namespace sweep::cuda::test {
namespace {

struct Gradients {
  explicit Gradients(const NormalizationInput& of)
      : to_x(of.type, of.x.size()),
        to_residual(of.type, of.x.size()),
        to_weight(of.pixels.channels),
        to_bias(of.pixels.channels) {}

  Reals to_x, to_residual;
  Array<float> to_weight, to_bias;
  bool operator==(const Gradients&) const = default;
};

/// What the kernel is given of y and asked for.
enum class With { nothing, y, y_and_residual };

Gradients gradients(const NormalizationInput& of, const Normalized& forward, const Reals& gradient,
                    With with) {
  Gradients to(of);
  Array<char> workspace(static_cast<std::int64_t>(normalize_relu_workspace(of.pixels)));
  normalize_relu_gradient(
      {of.pixels, of.type, gradient.data(), of.x.data(),
       with == With::nothing ? nullptr : forward.y.data(), of.weight.data(), of.bias.data(),
       forward.mean.data(), forward.inverse_deviation.data(), to.to_x.data(),
       with == With::y_and_residual ? to.to_residual.data() : nullptr, to.to_weight.data(),
       to.to_bias.data(), workspace.data()},
      nullptr);
  return to;
}

/// Of one channel: that before ReLU, summed up, and summed up times the normalised x.
struct ChannelSums {
  double gradient = 0, by_normalized = 0;
};

class NormalizeReluGradientTest : public testing::TestWithParam<NormalizationCase> {};
INSTANTIATE_TEST_SUITE_P(Sizes, NormalizeReluGradientTest,
                         testing::ValuesIn(normalization_cases()));

TEST_P(NormalizeReluGradientTest, IsTheFormula) {
  const NormalizationInput of(GetParam());
  const Normalized forward = normalize(of);
  const Reals gradient = random_reals(of.type, of.x.size(), 9, 0.2);
  const With with = of.residual ? With::y_and_residual : With::nothing;
  const Gradients got = in_both_orders([&] { return gradients(of, forward, gradient, with); });
  const auto [rows, channels] = of.pixels;
  const double count = static_cast<double>(rows);
  for (std::int64_t c = 0; c < channels; ++c) {
    const auto [mean, variance] = moments(of, c);
    const double inverse_deviation = 1 / std::sqrt(variance + of.eps);
    const auto cut = [&](std::int64_t i) { return forward.y[i] > 0 ? gradient[i] : 0; };
    const auto normalized = [&](std::int64_t i) { return (of.x[i] - mean) * inverse_deviation; };
    ChannelSums sums;
    for (std::int64_t i = c; i < rows * channels; i += channels) {
      sums.gradient += cut(i);
      sums.by_normalized += cut(i) * normalized(i);
    }
    const double tolerance = 1e-6 * count + 1e-5;
    ASSERT_NEAR(got.to_bias[c], sums.gradient, tolerance);
    ASSERT_NEAR(got.to_weight[c], sums.by_normalized, tolerance);
    for (std::int64_t i = c; i < rows * channels; i += channels) {
      const double to_x =
          of.weight[c] * inverse_deviation *
          (cut(i) - sums.gradient / count - normalized(i) * sums.by_normalized / count);
      ASSERT_NEAR(got.to_x[i], to_x,
                  1e-5 * (1 + inverse_deviation) + std::abs(to_x) * rounding(of.type));
      if (of.residual) {
        ASSERT_EQ(got.to_residual[i], cut(i));
      }
    }
  }
}

TEST(NormalizeReluGradient, FindsFromXWhatReluHasCut) {
  for (const Real type : {Real::float32, Real::bfloat16}) {
    const NormalizationInput of({type, 3001, 24, false});
    const Normalized forward = normalize(of);
    const Reals gradient = random_reals(type, of.x.size(), 9);
    const Gradients from_x = gradients(of, forward, gradient, With::nothing);
    EXPECT_EQ(from_x, gradients(of, forward, gradient, With::y));
    const Gradients kept = gradients(of, forward, gradient, With::y_and_residual);
    EXPECT_EQ(from_x.to_x, kept.to_x);
  }
}

/// The sum of y times `gradient`, in double.
double loss(const NormalizationInput& of, const Reals& gradient) {
  const auto [rows, channels] = of.pixels;
  double sum = 0;
  for (std::int64_t c = 0; c < channels; ++c) {
    const auto [mean, variance] = moments(of, c);
    for (std::int64_t i = c; i < rows * channels; i += channels) {
      const double normalized = (of.x[i] - mean) / std::sqrt(variance + of.eps);
      const double residual = of.residual ? (*of.residual)[i] : 0;
      sum += gradient[i] * std::max(normalized * of.weight[c] + of.bias[c] + residual, 0.0);
    }
  }
  return sum;
}

/// The slope of the loss over the number that `set` sets, at `value`.
template <class Set>
double slope(const NormalizationInput& of, const Reals& gradient, double value, const Set& set) {
  constexpr double kStep = 0x1p-10;
  NormalizationInput moved = of;
  set(moved, value + kStep);
  const double above = loss(moved, gradient);
  set(moved, value - kStep);
  return (above - loss(moved, gradient)) / (2 * kStep);
}

TEST(NormalizeReluGradient, IsTheSlopeOfTheLoss) {
  for (const bool residual : {false, true}) {
    const NormalizationInput of({Real::float32, 9, 8, residual});
    const Reals gradient = random_reals(of.type, of.x.size(), 9);
    const With with = residual ? With::y_and_residual : With::nothing;
    const Gradients got = gradients(of, normalize(of), gradient, with);
    for (std::int64_t i = 0; i < of.x.size(); ++i) {
      const auto set = [i](NormalizationInput& to, double value) { to.x.set(i, value); };
      EXPECT_NEAR(got.to_x[i], slope(of, gradient, of.x[i], set), 5e-3) << i;
    }
    for (std::int64_t c = 0; c < 8; ++c) {
      const auto weight = [c](NormalizationInput& to, double value) {
        to.weight[c] = static_cast<float>(value);
      };
      const auto bias = [c](NormalizationInput& to, double value) {
        to.bias[c] = static_cast<float>(value);
      };
      EXPECT_NEAR(got.to_weight[c], slope(of, gradient, of.weight[c], weight), 5e-3) << c;
      EXPECT_NEAR(got.to_bias[c], slope(of, gradient, of.bias[c], bias), 5e-3) << c;
    }
  }
}

}  // namespace
}  // namespace sweep::cuda::test
