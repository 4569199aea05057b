#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "core/text.hpp"
#include "trainer/cpu/winograd/convolution.hpp"
#include "trainer/cpu/winograd/plan.hpp"

namespace sweep::trainer::winograd {
namespace {

struct ConvolutionShape {
  std::int64_t count, inputs, outputs, height, width;
  std::string shared_by;  ///< how threads share the work
};

std::string name(const ConvolutionShape& s) {
  return concat(s.count, "x", s.inputs, "to", s.outputs, "_", s.height, "x", s.width);
}

/// What a convolution reads, and what LibTorch computes of it in float64.
struct Case {
  explicit Case(const ConvolutionShape& s) {
    at::manual_seed(5);
    const auto last = at::MemoryFormat::ChannelsLast;
    x = at::randn({s.count, s.inputs, s.height, s.width}).contiguous(last);
    weight = at::randn({s.outputs, s.inputs, 3, 3}).contiguous(last);
    bias = at::randn({s.outputs});
    gradient = at::randn({s.count, s.outputs, s.height, s.width}).contiguous(last);
    const auto wide = [](const at::Tensor& t) { return t.to(at::kDouble).contiguous(); };
    y = at::conv2d(wide(x), wide(weight), wide(bias), 1, 1);
    std::tie(to_x, to_weight, std::ignore) = at::convolution_backward(
        wide(gradient), wide(x), wide(weight), std::nullopt, {1, 1}, {1, 1}, {1, 1}, false, {0, 0},
        1, std::array<bool, 3>{true, true, false});
  }

  at::Tensor x, weight, bias, gradient;
  at::Tensor y, to_x, to_weight;
};

/// Of all elements, by their root mean squares.
double root_mean_square_error(const at::Tensor& actual, const at::Tensor& expected) {
  EXPECT_EQ(actual.sizes(), expected.sizes());
  const auto difference = actual.to(at::kDouble) - expected;
  return (difference.norm() / expected.norm()).item<double>();
}

/// Measured are 3e-7 to 2e-6. One tap or sign that is wrong gives some 1e-1.
constexpr double kTolerance = 5e-6;

class Winograd : public ::testing::TestWithParam<ConvolutionShape> {
 protected:
  void SetUp() override {
    if (!kernels_for(2)) GTEST_SKIP() << "no kernels for the instruction set of this processor";
  }
};

TEST_P(Winograd, ComputesWhatLibTorchDoesInFloat64) {
  const Case c(GetParam());
  for (const auto format : {at::MemoryFormat::ChannelsLast, at::MemoryFormat::Contiguous}) {
    SCOPED_TRACE(format);
    const auto weight = c.weight.contiguous(format);
    ASSERT_TRUE(suits(c.x, weight));
    const auto y = convolve(c.x, weight, c.bias);
    EXPECT_LT(root_mean_square_error(y, c.y), kTolerance);
    EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
    EXPECT_LT(root_mean_square_error(convolve(c.x, weight, {}), c.y - c.bias.view({1, -1, 1, 1})),
              kTolerance);
    EXPECT_LT(root_mean_square_error(input_gradient(c.gradient, weight), c.to_x), kTolerance);
    const auto to_weight = weight_gradient(c.gradient, c.x, weight);
    EXPECT_LT(root_mean_square_error(to_weight, c.to_weight), kTolerance);
    EXPECT_EQ(to_weight.strides(), weight.strides());
  }
}

TEST_P(Winograd, HasTheSameBitsWithEveryNumberOfThreads) {
  const Case c(GetParam());
  const int before = at::get_num_threads();
  std::vector<at::Tensor> first;
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    const std::vector<at::Tensor> results = {convolve(c.x, c.weight, c.bias),
                                             input_gradient(c.gradient, c.weight),
                                             weight_gradient(c.gradient, c.x, c.weight)};
    if (first.empty()) first = results;
    for (std::size_t i = 0; i < results.size(); ++i)
      EXPECT_TRUE(results[i].equal(first[i])) << threads << " threads, result " << i;
  }
  at::set_num_threads(before);
}

/// In between all is float32: what is read is exact, and results are rounded once.
TEST_P(Winograd, RoundsBfloat16AtTheEndsAlone) {
  const Case c(GetParam());
  const auto x = c.x.to(at::kBFloat16), gradient = c.gradient.to(at::kBFloat16);
  const auto wide_x = x.to(at::kFloat), wide_gradient = gradient.to(at::kFloat);
  ASSERT_TRUE(suits(x, c.weight));
  const auto y = convolve(x, c.weight, c.bias);
  EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(y.equal(convolve(wide_x, c.weight, c.bias).to(at::kBFloat16)));
  EXPECT_TRUE(input_gradient(gradient, c.weight)
                  .equal(input_gradient(wide_gradient, c.weight).to(at::kBFloat16)));
  EXPECT_TRUE(weight_gradient(gradient, x, c.weight)
                  .equal(weight_gradient(wide_gradient, wide_x, c.weight)));
}

TEST_P(Winograd, GivesAnImageTheSameBitsInEveryBatch) {
  const Case c(GetParam());
  const auto y = convolve(c.x, c.weight, c.bias), to_x = input_gradient(c.gradient, c.weight);
  const std::int64_t last = c.x.size(0) - 1;
  EXPECT_TRUE(convolve(c.x.narrow(0, last, 1), c.weight, c.bias).equal(y.narrow(0, last, 1)));
  EXPECT_TRUE(
      input_gradient(c.gradient.narrow(0, last, 1), c.weight).equal(to_x.narrow(0, last, 1)));
}

/// Otherwise the shapes below would not be tests of every way.
TEST_P(Winograd, SharesTheWorkAsTheTestMeans) {
  const auto& s = GetParam();
  const auto x = at::empty({s.count, s.inputs, s.height, s.width});
  const auto way = [&](std::int64_t inputs, std::int64_t outputs) {
    return std::string(Plan(x, inputs, outputs).choose("tiles", "outputs", "points"));
  };
  EXPECT_EQ(way(s.inputs, s.outputs), s.shared_by);
}

// Sizes that tiles of 2 and of 4 fill and do not fill, panels that are not full, rows that
// registers do not fill, several blocks of tiles, groups and rounds.
INSTANTIATE_TEST_SUITE_P(, Winograd,
                         ::testing::Values(ConvolutionShape{1, 16, 16, 2, 2, "outputs"},
                                           ConvolutionShape{2, 16, 48, 3, 2, "outputs"},
                                           ConvolutionShape{3, 32, 16, 4, 7, "outputs"},
                                           ConvolutionShape{2, 48, 80, 9, 5, "outputs"},
                                           ConvolutionShape{9, 16, 32, 6, 5, "tiles"},
                                           ConvolutionShape{5, 64, 32, 17, 18, "tiles"},
                                           ConvolutionShape{13, 16, 16, 30, 31, "tiles"},
                                           ConvolutionShape{2, 512, 32, 2, 2, "outputs"},
                                           ConvolutionShape{20, 160, 224, 13, 13, "points"},
                                           ConvolutionShape{150, 192, 176, 5, 7, "points"}),
                         [](const auto& tested) { return name(tested.param); });

/// A delta as weights gives every number back, which tiles of 2 do exactly.
TEST(WinogradBfloat16, RoundsAsLibTorchDoes) {
  if (!kernels_for(2)) GTEST_SKIP() << "no kernels for the instruction set of this processor";
  const auto last = at::MemoryFormat::ChannelsLast;
  auto weight = at::zeros({16, 16, 3, 3});
  for (std::int64_t i = 0; i < 16; ++i) weight[i][i][1][1].fill_(1);
  // Sums of 1 and of a bias below, at and above the middle between two neighbours; then what is
  // too large, infinite or no number.
  const auto x = at::ones({1, 16, 2, 2}).contiguous(last).to(at::kBFloat16);
  const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  const auto bias = at::tensor({0.F, 0x1p-9F, 0x1p-8F, 0x1.8p-8F, 0x3p-8F, 0x1p-7F, -0x1p-9F,
                                -0x1p-8F, -2.F, 3e38F, 3.39e38F, 3.4e38F, inf, -inf, nan, -nan});
  const auto y = convolve(x, weight, bias);
  const auto expected = (x.to(at::kFloat) + bias.view({1, 16, 1, 1})).to(at::kBFloat16);
  EXPECT_TRUE(at::equal(y.isnan(), expected.isnan()));
  EXPECT_TRUE(y.nan_to_num(7, 8, 9).equal(expected.nan_to_num(7, 8, 9)));
  EXPECT_EQ(y.isnan().sum().item<std::int64_t>(), 8);
}

TEST(WinogradSuits, OnlyWhatItComputes) {
  if (!kernels_for(2)) GTEST_SKIP() << "no kernels for the instruction set of this processor";
  const auto last = at::MemoryFormat::ChannelsLast;
  const auto images = [&](std::int64_t channels, std::int64_t side) {
    return at::zeros({2, channels, side, side}).contiguous(last);
  };
  const auto weight = at::zeros({32, 32, 3, 3});
  EXPECT_TRUE(suits(images(32, 8), weight));
  EXPECT_FALSE(suits(images(32, 8).contiguous(), weight));
  EXPECT_FALSE(suits(images(32, 8).to(at::kDouble), weight.to(at::kDouble)));
  EXPECT_TRUE(suits(images(32, 8).to(at::kBFloat16), weight));
  EXPECT_FALSE(suits(images(32, 8).to(at::kBFloat16), weight.to(at::kBFloat16)));
  EXPECT_FALSE(suits(images(32, 8).to(at::kHalf), weight));
  EXPECT_FALSE(suits(images(32, 1), weight));
  EXPECT_FALSE(suits(images(32, 8).narrow(0, 0, 0), weight));
  EXPECT_FALSE(suits(images(3, 8), at::zeros({32, 3, 3, 3})));
  EXPECT_FALSE(suits(images(32, 8), at::zeros({33, 32, 3, 3})));
  EXPECT_FALSE(suits(images(32, 8), at::zeros({32, 32, 5, 5})));
  EXPECT_FALSE(suits(images(32, 8), at::zeros({32, 32, 3, 6}).narrow(3, 0, 3)));
}

}  // namespace
}  // namespace sweep::trainer::winograd
