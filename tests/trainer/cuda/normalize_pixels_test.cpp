#include "tests/trainer/cuda/arrays.hpp"

namespace sweep::cuda::test {
namespace {

Array<float> three(float a, float b, float c) {
  Array<float> values(3);
  values[0] = a;
  values[1] = b;
  values[2] = c;
  return values;
}

class NormalizePixelsTest : public testing::TestWithParam<std::tuple<Real, std::int64_t>> {
 protected:
  Array<float> mean = three(0.485f, 0.456f, 0.406f);
  Array<float> deviation = three(0.229f, 0.224f, 0.225f);
};
INSTANTIATE_TEST_SUITE_P(Sizes, NormalizePixelsTest,
                         testing::Combine(testing::Values(Real::float32, Real::bfloat16),
                                          testing::Values(1, 2, 5, 8, 1023, 40003)));

TEST_P(NormalizePixelsTest, IsTheFormula) {
  const auto [type, pixels] = GetParam();
  const Array<float> x = random_floats(3 * pixels, 1, 0, 1);
  const Reals y = in_both_orders([&, to_type = type, size = pixels] {
    Reals to(to_type, x.size());
    normalize_pixels(size, x.data(), mean.data(), deviation.data(), to_type, to.data(), nullptr);
    return to;
  });
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const float quotient = (x[i] - mean[i % 3]) / deviation[i % 3];
    Reals expected(type, 1);
    expected.set(0, quotient);
    ASSERT_EQ(y[i], expected[0]) << i;
  }
}

TEST_P(NormalizePixelsTest, HasItsGradient) {
  const auto [type, pixels] = GetParam();
  const Reals gradient = random_reals(type, 3 * pixels, 1);
  const Array<float> to_x = in_both_orders([&, of_type = type, size = pixels] {
    Array<float> to(gradient.size());
    normalize_pixels_gradient(size, of_type, gradient.data(), deviation.data(), to.data(), nullptr);
    return to;
  });
  for (std::int64_t i = 0; i < gradient.size(); ++i)
    ASSERT_EQ(to_x[i], static_cast<float>(gradient[i]) / deviation[i % 3]) << i;
}

TEST(NormalizePixels, OfNothingDoesNothing) {
  normalize_pixels(0, nullptr, nullptr, nullptr, Real::float32, nullptr, nullptr);
  normalize_pixels_gradient(0, Real::float32, nullptr, nullptr, nullptr, nullptr);
}

}  // namespace
}  // namespace sweep::cuda::test
