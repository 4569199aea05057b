#include "tests/trainer/cuda/arrays.hpp"

namespace sweep::cuda::test {
namespace {

struct Size {
  std::int64_t count, size;
};

/// Images of which the second, where there is one, is the same in both.
struct Images {
  explicit Images(Size of)
      : count(of.count),
        size(of.size),
        a(random_floats(count * size, 1, 0, 1)),
        b(random_floats(count * size, 2, 0, 1)) {
    for (std::int64_t j = 0; count > 1 && j < size; ++j) b[size + j] = a[size + j];
  }

  std::int64_t count, size;
  Array<float> a, b;
};

Array<float> distances_of(const Images& of) {
  Array<float> to(of.count);
  Array<char> workspace(static_cast<std::int64_t>(distances_workspace(of.count, of.size)));
  distances(of.count, of.size, of.a.data(), of.b.data(), to.data(), workspace.data(), nullptr);
  return to;
}

class DistancesTest : public testing::TestWithParam<Size> {};
INSTANTIATE_TEST_SUITE_P(Sizes, DistancesTest,
                         testing::Values(Size{1, 1}, Size{3, 7}, Size{5, 3072}, Size{4, 3675},
                                         Size{300, 12}, Size{2, 150528},
                                         // More than the largest grid of an image takes at once.
                                         Size{1, 600000}, Size{1, 150001}));

TEST_P(DistancesTest, AreTheRootsOfSumsOfSquares) {
  const Images of(GetParam());
  const Array<float> got = in_both_orders([&] { return distances_of(of); });
  for (std::int64_t i = 0; i < of.count; ++i) {
    double sum = 0;
    for (std::int64_t j = i * of.size; j < (i + 1) * of.size; ++j)
      sum += std::pow(static_cast<double>(of.a[j]) - of.b[j], 2);
    ASSERT_NEAR(got[i], std::sqrt(sum), 1e-6 * std::sqrt(sum)) << i;
  }
}

TEST_P(DistancesTest, HaveTheirGradients) {
  const Images of(GetParam());
  const Array<float> norms = distances_of(of);
  const Array<float> gradient = random_floats(of.count, 3, -2, 2);
  const auto run = [&](bool with_a, bool with_b) {
    std::pair<Array<float>, Array<float>> to{Array<float>(of.a.size()), Array<float>(of.a.size())};
    distances_gradient(of.count, of.size, gradient.data(), of.a.data(), of.b.data(), norms.data(),
                       with_a ? to.first.data() : nullptr, with_b ? to.second.data() : nullptr,
                       nullptr);
    return to;
  };
  const auto [to_a, to_b] = in_both_orders([&] { return run(true, true); });
  for (std::int64_t j = 0; j < to_a.size(); ++j) {
    const std::int64_t i = j / of.size;
    const double expected =
        norms[i] == 0 ? 0 : gradient[i] * (static_cast<double>(of.a[j]) - of.b[j]) / norms[i];
    ASSERT_NEAR(to_a[j], expected, 1e-6) << j;
    ASSERT_EQ(to_b[j], -to_a[j]) << j;
  }
  EXPECT_TRUE(run(true, false).first == to_a);
  EXPECT_TRUE(run(false, true).second == to_b);
}

TEST(Distances, OfEqualImagesHaveNoGradient) {
  const Images of({2, 48});
  const Array<float> norms = distances_of(of);
  EXPECT_EQ(norms[1], 0);
  Array<float> gradient(2), to_a(96);
  gradient[0] = gradient[1] = 1;
  distances_gradient(2, 48, gradient.data(), of.a.data(), of.b.data(), norms.data(), to_a.data(),
                     nullptr, nullptr);
  for (std::int64_t j = 48; j < 96; ++j) EXPECT_EQ(to_a[j], 0);
}

TEST(Distances, OfNothing) {
  distances(0, 12, nullptr, nullptr, nullptr, nullptr, nullptr);
  distances_gradient(0, 12, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
  EXPECT_EQ(distances_of(Images({1, 0}))[0], 0);
}

}  // namespace
}  // namespace sweep::cuda::test
