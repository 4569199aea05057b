#include "tests/trainer/cuda/arrays.hpp"

namespace sweep::cuda::test {
namespace {

constexpr float kBeta1 = 0.9f, kBeta2 = 0.999f, kEps = 1e-8f, kRate = 0.01f;

struct Attack {
  Attack(std::int64_t count_, std::int64_t size_)
      : count(count_),
        size(size_),
        gradient(random_floats(count * size, 1, -3, 3)),
        clean(random_floats(count * size, 2, 0, 1)),
        unbias1(random_floats(count, 3, 0.1, 1)),
        unbias2(random_floats(count, 4, 0.001, 1)),
        w(random_floats(count * size, 5, -3, 3)),
        mean(random_floats(count * size, 6, -0.1, 0.1)),
        mean_square(random_floats(count * size, 7, 0, 0.1)),
        adversarial(count * size) {
    for (std::int64_t i = 0; i < w.size(); ++i) adversarial[i] = (std::tanh(w[i]) + 1) / 2;
  }

  std::int64_t count, size;
  Array<float> gradient, clean, unbias1, unbias2, w, mean, mean_square, adversarial;
  bool operator==(const Attack&) const = default;
};

Attack updated(Attack of) {
  cw_update({of.count, of.size, of.gradient.data(), of.clean.data(), of.unbias1.data(),
             of.unbias2.data(), kBeta1, kBeta2, kEps, kRate, of.w.data(), of.mean.data(),
             of.mean_square.data(), of.adversarial.data()},
            nullptr);
  return of;
}

TEST(CwUpdate, IsAStepOfAdam) {
  for (const auto& [count, size] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {1, 1}, {3, 7}, {5, 3072}, {4, 3675}, {1, 270000}}) {
    const Attack before(count, size);
    const Attack after = in_both_orders([&] { return updated(before); });
    for (std::int64_t at = 0; at < before.w.size(); ++at) {
      const double x = before.adversarial[at];
      const double tanh = std::tanh(double{before.w[at]});
      const double g = (before.gradient[at] + 2 * (x - before.clean[at])) * (1 - tanh * tanh) / 2;
      const double beta1 = kBeta1, beta2 = kBeta2;
      const double mean = beta1 * before.mean[at] + (1 - beta1) * g;
      const double mean_square = beta2 * before.mean_square[at] + (1 - beta2) * g * g;
      const std::int64_t i = at / size;
      const double w = before.w[at] - kRate * (mean / before.unbias1[i]) /
                                          (std::sqrt(mean_square / before.unbias2[i]) + kEps);
      ASSERT_NEAR(after.mean[at], mean, 1e-6) << at;
      ASSERT_NEAR(after.mean_square[at], mean_square, 1e-6) << at;
      ASSERT_NEAR(after.w[at], w, 1e-6 * (1 + std::abs(w - before.w[at]) * 10)) << at;
      ASSERT_NEAR(after.adversarial[at], (std::tanh(w) + 1) / 2, 1e-6) << at;
    }
    EXPECT_TRUE(after.gradient == before.gradient && after.clean == before.clean);
  }
}

TEST(CwUpdate, OfNothingDoesNothing) {
  cw_update({}, nullptr);
}

}  // namespace
}  // namespace sweep::cuda::test
