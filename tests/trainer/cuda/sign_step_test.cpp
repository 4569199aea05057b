#include <limits>

#include "tests/trainer/cuda/arrays.hpp"

namespace sweep::cuda::test {
namespace {

struct Step {
  explicit Step(std::int64_t count)
      : gradient(random_floats(count, 1, -1, 1)),
        lower(random_floats(count, 2, 0, 0.5)),
        upper(random_floats(count, 3, 0.5, 1)),
        x(random_floats(count, 4, 0, 1)) {
    for (std::int64_t i = 0; i < count; i += 5) gradient[i] = 0;
  }

  Array<float> gradient, lower, upper, x;

  Array<float> result() const {
    Array<float> to = x;
    sign_step(x.size(), gradient.data(), lower.data(), upper.data(), kAlpha, to.data(), nullptr);
    return to;
  }

  static constexpr float kAlpha = 0.1f;
};

TEST(SignStep, FollowsTheSignAndStaysBetweenTheBounds) {
  for (const std::int64_t count : {1, 3, 4, 7, 1021, 12288, 40001}) {
    const Step of(count);
    const Array<float> got = in_both_orders([&] { return of.result(); });
    for (std::int64_t i = 0; i < count; ++i) {
      const float sign = of.gradient[i] > 0 ? 1.0f : of.gradient[i] < 0 ? -1.0f : 0.0f;
      const float moved = of.x[i] + Step::kAlpha * sign;
      ASSERT_EQ(got[i], std::min(std::max(moved, of.lower[i]), of.upper[i])) << i;
    }
  }
}

TEST(SignStep, KeepsNan) {
  Step of(9);
  for (const std::int64_t i : {2, 8}) of.x[i] = std::numeric_limits<float>::quiet_NaN();
  const Array<float> got = of.result();
  for (std::int64_t i = 0; i < 9; ++i) EXPECT_EQ(std::isnan(got[i]), i == 2 || i == 8);
}

TEST(SignStep, OfNothingDoesNothing) {
  sign_step(0, nullptr, nullptr, nullptr, 0.1f, nullptr, nullptr);
}

}  // namespace
}  // namespace sweep::cuda::test
