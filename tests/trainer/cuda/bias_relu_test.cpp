#include "tests/trainer/cuda/arrays.hpp"

namespace sweep::cuda::test {
namespace {

TEST(BiasRelu, IsTheFormula) {
  for (const Real type : {Real::float32, Real::bfloat16}) {
    for (const Pixels pixels : {Pixels{1, 8}, {7, 24}, {5003, 64}, {1031, 264}, {515, 512}}) {
      const auto [rows, channels] = pixels;
      const Reals x = random_reals(type, rows * channels, 1);
      const Reals residual = random_reals(type, rows * channels, 2);
      const Array<float> bias = random_floats(channels, 3, -1, 1);
      for (const Reals* shortcut : {static_cast<const Reals*>(nullptr), &residual}) {
        const Reals y = in_both_orders([&] {
          Reals to(type, x.size());
          bias_relu(pixels, type, x.data(), bias.data(), shortcut ? shortcut->data() : nullptr,
                    to.data(), nullptr);
          return to;
        });
        for (std::int64_t i = 0; i < x.size(); ++i) {
          const double sum = x[i] + bias[i % channels] + (shortcut ? (*shortcut)[i] : 0);
          const double expected = std::max(sum, 0.0);
          ASSERT_NEAR(y[i], expected, 1e-6 + expected * rounding(type)) << i;
        }
      }
    }
  }
}

TEST(BiasRelu, WorksInPlace) {
  const Pixels pixels{301, 24};
  Reals x = random_reals(Real::bfloat16, 301 * 24, 1);
  const Array<float> bias = random_floats(24, 3, -1, 1);
  Reals y(Real::bfloat16, x.size());
  bias_relu(pixels, Real::bfloat16, x.data(), bias.data(), nullptr, y.data(), nullptr);
  bias_relu(pixels, Real::bfloat16, x.data(), bias.data(), nullptr, x.data(), nullptr);
  EXPECT_EQ(x, y);
}

TEST(ReluGradient, IsThatWhereReluHasNotCut) {
  for (const Real type : {Real::float32, Real::bfloat16}) {
    // The last one: more than the largest grid takes at once.
    for (const std::int64_t count : {std::int64_t{8}, std::int64_t{4104}, std::int64_t{9000008}}) {
      Reals y(type, count), gradient(type, count);
      for (std::int64_t i = 0; i < count; ++i) {
        y.set(i, i % 3 == 1 ? 0.25 : 0);
        gradient.set(i, 1 + i % 7);
      }
      const auto run = [&] {
        Reals to(type, count);
        relu_gradient(count, type, gradient.data(), y.data(), to.data(), nullptr);
        return to;
      };
      const Reals got = count > 10000 ? run() : in_both_orders(run);
      for (std::int64_t i = 0; i < count; ++i) ASSERT_EQ(got[i], i % 3 == 1 ? gradient[i] : 0) << i;
    }
  }
}

TEST(BiasRelu, OfNothingDoesNothing) {
  bias_relu({0, 8}, Real::float32, nullptr, nullptr, nullptr, nullptr, nullptr);
  relu_gradient(0, Real::float32, nullptr, nullptr, nullptr, nullptr);
}

}  // namespace
}  // namespace sweep::cuda::test
