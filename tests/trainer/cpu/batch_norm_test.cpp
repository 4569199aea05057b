#include "trainer/cpu/batch_norm/batch_norm.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/text.hpp"
#include "trainer/cpu/batch_norm/kernels.hpp"

namespace sweep::trainer::cpu {
namespace {

struct NormShape {
  std::int64_t count, channels, height, width;
};

constexpr auto kLast = at::MemoryFormat::ChannelsLast;

/// The largest difference, relative to the largest value of `expected`.
double largest_error(const at::Tensor& actual, const at::Tensor& expected) {
  EXPECT_EQ(actual.sizes(), expected.sizes());
  const auto difference = (actual.to(at::kDouble) - expected.to(at::kDouble)).abs().max();
  return (difference / expected.to(at::kDouble).abs().max()).item<double>();
}

/// What batch normalisation reads. Every channel has a mean and a deviation of its own.
struct Case {
  explicit Case(const NormShape& s) {
    at::manual_seed(3);
    const auto images = [&] {
      return at::randn({s.count, s.channels, s.height, s.width}).contiguous(kLast);
    };
    const auto of_channel = [&](double first, double last) {
      return at::linspace(first, last, s.channels).view({1, -1, 1, 1});
    };
    x = (images() * of_channel(0.1, 3) + of_channel(-2, 5)).contiguous(kLast);
    residual = images();
    gradient = images();
    const auto moments = channel_moments(x);
    const auto inverse = (moments.squares / (x.numel() / s.channels)).rsqrt().to(at::kFloat);
    scaling = {moments.mean.to(at::kFloat), inverse * at::linspace(-1, 2, s.channels),
               at::linspace(-0.5, 0.5, s.channels)};
    constant = at::linspace(-0.2, 0.1, s.channels);
    of_x = at::linspace(0.3, -0.1, s.channels);
  }

  Case in_bf16() const {
    Case narrow = *this;
    for (auto* images : {&narrow.x, &narrow.residual, &narrow.gradient})
      *images = images->to(at::kBFloat16);
    return narrow;
  }

  at::Tensor x, residual, gradient, constant, of_x;
  ChannelScaling scaling;
};

/// All that the steps give.
struct Results {
  ChannelMoments moments;
  at::Tensor y;
  NormGradient::Sums sums;
  at::Tensor to_residual, to_x;

  std::vector<at::Tensor> all() const {
    std::vector<at::Tensor> tensors = {moments.mean,  moments.squares, y,
                                       sums.gradient, sums.with_x,     to_x};
    if (to_residual.defined()) tensors.push_back(to_residual);
    return tensors;
  }
};

enum class Behind { nothing, relu, residual_and_relu };

Results run(const Case& c, Behind behind) {
  const bool relu = behind != Behind::nothing;
  const auto residual = behind == Behind::residual_and_relu ? c.residual : at::Tensor();
  Results results{.moments = channel_moments(c.x), .y = normalize(c.x, residual, c.scaling, relu)};
  NormGradient way_back(c.gradient, c.x, residual.defined() ? results.y : at::Tensor(), c.scaling,
                        relu);
  results.sums = way_back.sums();
  results.to_residual = way_back.to_residual();
  results.to_x = way_back.to_x(c.constant, c.of_x);
  return results;
}

/// The same as written down, in float64. @param y  tells where ReLU has cut
Results written_down(const Case& c, Behind behind, const at::Tensor& y) {
  const auto of_channel = [](const at::Tensor& t) { return t.to(at::kDouble).view({1, -1, 1, 1}); };
  const auto sum = [](const at::Tensor& t) { return t.sum(at::IntArrayRef{0, 2, 3}); };
  const auto x = c.x.to(at::kDouble);
  const auto mean = x.mean(at::IntArrayRef{0, 2, 3});
  const auto deviation = x - of_channel(c.scaling.mean);
  Results results{.moments = {mean, sum((x - of_channel(mean)).square())}};
  results.y = deviation * of_channel(c.scaling.scale) + of_channel(c.scaling.bias);
  if (behind == Behind::residual_and_relu) results.y += c.residual.to(at::kDouble);
  auto g = c.gradient.to(at::kDouble);
  if (behind != Behind::nothing) {
    results.y.clamp_min_(0);
    g = at::where(y > 0, g, 0);
  }
  if (behind == Behind::residual_and_relu) results.to_residual = g;
  results.sums = {sum(g), sum(g * deviation)};
  results.to_x =
      of_channel(c.scaling.scale) * (g - of_channel(c.constant) - deviation * of_channel(c.of_x));
  return results;
}

class CpuBatchNorm : public ::testing::TestWithParam<std::tuple<NormShape, Behind>> {
 protected:
  void SetUp() override {
    if (!norm_kernels()) GTEST_SKIP() << "no kernels for the instruction set of this processor";
  }
  Case test_case() const { return Case(std::get<0>(GetParam())); }
  Behind behind() const { return std::get<1>(GetParam()); }
};

TEST_P(CpuBatchNorm, ComputesWhatIsWrittenDown) {
  const auto c = test_case();
  ASSERT_TRUE(suits_batch_norm(c.x, c.residual));
  const auto actual = run(c, behind());
  const auto expected = written_down(c, behind(), actual.y);
  ASSERT_EQ(actual.all().size(), expected.all().size());
  for (std::size_t i = 0; i < actual.all().size(); ++i)
    EXPECT_LT(largest_error(actual.all()[i], expected.all()[i]), 1e-6) << "result " << i;
  EXPECT_TRUE(actual.y.is_contiguous(kLast));
  EXPECT_TRUE(actual.to_x.is_contiguous(kLast));
}

TEST_P(CpuBatchNorm, HasTheSameBitsWithEveryNumberOfThreads) {
  const auto c = test_case();
  const int before = at::get_num_threads();
  std::vector<at::Tensor> first;
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    const auto results = run(c, behind()).all();
    if (first.empty()) first = results;
    for (std::size_t i = 0; i < results.size(); ++i)
      EXPECT_TRUE(results[i].equal(first[i])) << threads << " threads, result " << i;
  }
  at::set_num_threads(before);
}

/// In between all is float32: what is read is exact, and results are rounded once.
TEST_P(CpuBatchNorm, RoundsBfloat16AtTheEndsAlone) {
  const auto narrow = test_case().in_bf16();
  auto wide = narrow;
  for (auto* images : {&wide.x, &wide.residual, &wide.gradient}) *images = images->to(at::kFloat);
  const auto actual = run(narrow, behind()).all(), expected = run(wide, behind()).all();
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i)
    EXPECT_TRUE(actual[i].equal(expected[i].to(actual[i].scalar_type()))) << "result " << i;
}

std::string name(const ::testing::TestParamInfo<std::tuple<NormShape, Behind>>& tested) {
  const auto& [s, behind] = tested.param;
  const char* what = behind == Behind::nothing ? "plain" : behind == Behind::relu ? "relu" : "both";
  return concat(s.count, "x", s.channels, "x", s.height, "x", s.width, "_", what);
}

// Blocks of four vectors and of one, rows that fill a group and that do not, several groups.
INSTANTIATE_TEST_SUITE_P(
    , CpuBatchNorm,
    ::testing::Combine(::testing::Values(NormShape{1, 16, 1, 2}, NormShape{3, 48, 5, 7},
                                         NormShape{4, 64, 16, 16}, NormShape{5, 80, 21, 10},
                                         NormShape{2, 512, 3, 2}),
                       ::testing::Values(Behind::nothing, Behind::relu, Behind::residual_and_relu)),
    name);

TEST(CpuBatchNormMoments, KeepTheDigitsOfASmallVarianceFarFromZero) {
  if (!norm_kernels()) GTEST_SKIP() << "no kernels for the instruction set of this processor";
  at::manual_seed(4);
  const auto x = (at::randn({8, 32, 20, 20}) * 0.01 + 1000).contiguous(kLast);
  const auto expected = x.to(at::kDouble).var(at::IntArrayRef{0, 2, 3}, /*unbiased=*/false);
  const auto variance = channel_moments(x).squares / (8 * 20 * 20);
  EXPECT_LT(largest_error(variance, expected), 1e-5);
}

TEST(CpuBatchNormRelu, KeepsWhatIsNoNumber) {
  if (!norm_kernels()) GTEST_SKIP() << "no kernels for the instruction set of this processor";
  auto x = at::zeros({1, 16, 2, 2}).contiguous(kLast);
  x[0][3][1][1].fill_(std::nan(""));
  const auto one = at::ones({16});
  const ChannelScaling scaling{at::zeros({16}), one, at::zeros({16})};
  EXPECT_TRUE(normalize(x, {}, scaling, true)[0][3][1][1].isnan().item<bool>());
  EXPECT_TRUE(normalize(x, x, scaling, true)[0][3][1][1].isnan().item<bool>());
  EXPECT_TRUE(channel_moments(x).mean[3].isnan().item<bool>());
  NormGradient way_back(one.view({1, 16, 1, 1}).expand({1, 16, 2, 2}).contiguous(kLast), x, {},
                        scaling, true);
  EXPECT_TRUE(way_back.sums().with_x[3].isnan().item<bool>());
}

TEST(CpuBatchNormSuits, OnlyWhatItComputes) {
  if (!norm_kernels()) GTEST_SKIP() << "no kernels for the instruction set of this processor";
  const auto x = at::zeros({2, 32, 4, 4}).contiguous(kLast);
  EXPECT_TRUE(suits_batch_norm(x, {}));
  EXPECT_TRUE(suits_batch_norm(x.to(at::kBFloat16), x.to(at::kBFloat16)));
  EXPECT_FALSE(suits_batch_norm(x, x.to(at::kBFloat16)));
  EXPECT_FALSE(suits_batch_norm(x, x.narrow(0, 0, 1)));
  EXPECT_FALSE(suits_batch_norm(x, x.contiguous()));
  EXPECT_FALSE(suits_batch_norm(x.contiguous(), {}));
  EXPECT_FALSE(suits_batch_norm(x.to(at::kDouble), {}));
  EXPECT_FALSE(suits_batch_norm(at::zeros({2, 33, 4, 4}).contiguous(kLast), {}));
  EXPECT_FALSE(suits_batch_norm(x.narrow(0, 0, 0), {}));
}

}  // namespace
}  // namespace sweep::trainer::cpu
