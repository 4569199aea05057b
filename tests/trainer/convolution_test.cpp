#include "trainer/models/convolution.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/text.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/cpu/winograd/convolution.hpp"
#include "trainer/module_state.hpp"
#include "trainer/precision.hpp"

namespace sweep::trainer {
namespace {

struct FewChannelsShape {
  std::int64_t channels, kernel, stride, padding, height, width;
};

class FewChannels : public ::testing::TestWithParam<FewChannelsShape> {};

/// Against the gradient that LibTorch gives, in float64.
TEST_P(FewChannels, HaveTheGradientOfATransposedConvolution) {
  const auto [channels, kernel, stride, padding, height, width] = GetParam();
  const auto x = at::rand({2, channels, height, width}, at::kDouble).requires_grad_(true);
  const auto weight = at::randn({5, channels, kernel, kernel}, at::kDouble);
  const auto y = at::conv2d(x, weight, {}, stride, padding);
  const auto gradient = at::randn(y.sizes(), at::kDouble);
  const auto expected = torch::autograd::grad({y}, {x}, {gradient}).front();
  const auto actual = gradient_of_few_channels(gradient, weight, stride, padding, height, width);
  ASSERT_EQ(actual.sizes(), expected.sizes());
  EXPECT_LT(relative_error(actual, expected), 1e-13);
}

INSTANTIATE_TEST_SUITE_P(
    , FewChannels,
    ::testing::Values(FewChannelsShape{3, 7, 2, 3, 16, 16}, FewChannelsShape{3, 7, 2, 3, 17, 20},
                      FewChannelsShape{3, 3, 1, 1, 8, 8}, FewChannelsShape{3, 3, 2, 1, 9, 8},
                      FewChannelsShape{1, 1, 1, 0, 4, 4}, FewChannelsShape{4, 3, 3, 0, 11, 10},
                      FewChannelsShape{2, 5, 3, 2, 13, 13}, FewChannelsShape{3, 1, 2, 0, 7, 8},
                      FewChannelsShape{3, 4, 4, 0, 15, 16}, FewChannelsShape{3, 3, 1, 2, 5, 6}),
    [](const auto& tested) {
      const FewChannelsShape& s = tested.param;
      return concat(s.channels, "x", s.kernel, "x", s.kernel, "_stride", s.stride, "_padding",
                    s.padding, "_", s.height, "x", s.width);
    });

/// Outputs and gradients of one convolution, as it is placed and as LibTorch computes it.
TEST(Convolution, ComputesTheSameOnEveryWay) {
  for (const std::int64_t side : {2, 7, 8}) {
    for (const std::int64_t channels : {3, 256}) {
      Conv2d layer(torch::nn::Conv2dOptions(channels, 8, 3).padding(1));
      layer->to(at::kDouble);
      place(*layer, at::kCPU);
      const auto x = at::rand({3, channels, side, side}, at::kDouble)
                         .contiguous(at::MemoryFormat::ChannelsLast);
      for (const bool fixed : {false, true}) {
        SCOPED_TRACE(concat(side, " px, ", channels, " channels, fixed ", fixed));
        for (auto& parameter : layer->parameters()) parameter.set_requires_grad(!fixed);
        const auto ours = x.detach().requires_grad_(true), plain = x.clone().requires_grad_(true);
        const auto output = layer->forward(ours);
        const auto expected =
            at::conv2d(plain.contiguous(), layer->weight.contiguous(), layer->bias, 1, 1);
        EXPECT_LT(relative_error(output, expected), 1e-13);
        EXPECT_TRUE(output.is_contiguous(at::MemoryFormat::ChannelsLast));
        const auto a = torch::autograd::grad({output.square().sum()}, {ours}).front();
        const auto b = torch::autograd::grad({expected.square().sum()}, {plain}).front();
        EXPECT_LT(relative_error(a, b), 1e-13);
      }
    }
  }
}

/// 3x3 kernels in float32, whose gradients are our own: of what is asked for, and no more.
TEST(Convolution, HasTheGradientsThatAreAskedFor) {
  const auto images = at::randn({3, 32, 9, 6}).contiguous(at::MemoryFormat::ChannelsLast);
  for (const bool with_bias : {false, true})
    for (const bool of_x : {false, true})
      for (const bool of_weight : {false, true}) {
        SCOPED_TRACE(concat("bias ", with_bias, ", of x ", of_x, ", of weight ", of_weight));
        Conv2d layer(torch::nn::Conv2dOptions(32, 64, 3).padding(1).bias(with_bias));
        place(*layer, at::kCPU);
        const auto x = images.clone().requires_grad_(of_x);
        for (auto& parameter : layer->parameters()) parameter.set_requires_grad(of_weight);
        const auto y = layer->forward(x);
        ASSERT_EQ(y.requires_grad(), of_x || of_weight);
        const auto wide = [](const at::Tensor& t) {
          return t.defined() ? t.detach().to(at::kDouble).requires_grad_(true) : at::Tensor();
        };
        const auto wide_x = wide(x), weight = wide(layer->weight), bias = wide(layer->bias);
        const auto expected = at::conv2d(wide_x, weight, bias, 1, 1);
        EXPECT_LT(relative_error(y, expected), 1e-5);
        if (!y.requires_grad()) continue;
        y.square().sum().backward();
        expected.square().sum().backward();
        const auto compare = [](const at::Tensor& tensor, const at::Tensor& wanted, bool asked) {
          ASSERT_EQ(tensor.grad().defined(), asked);
          if (!asked) return;
          EXPECT_LT(relative_error(tensor.grad(), wanted.grad()), 1e-5);
        };
        compare(x, wide_x, of_x);
        compare(layer->weight, weight, of_weight);
        if (with_bias) compare(layer->bias, bias, of_weight);
      }
}

TEST(Convolution, OfOtherKindsIsLeftToLibTorch) {
  const auto x = at::randn({2, 32, 8, 8}).contiguous(at::MemoryFormat::ChannelsLast);
  using Options = torch::nn::Conv2dOptions;
  for (const auto& options :
       {Options(32, 32, 3).padding(1).stride(2), Options(32, 32, 3).padding(2).dilation(2),
        Options(32, 32, 3).padding(1).groups(2), Options(32, 32, 3), Options(32, 32, 1),
        Options(32, 32, 3).padding(torch::kSame)}) {
    Conv2d layer(options);
    place(*layer, at::kCPU);
    torch::nn::Conv2d plain(options);
    plain->weight = layer->weight;
    plain->bias = layer->bias;
    EXPECT_TRUE(layer->forward(x).equal(plain->forward(x)));
  }
}

TEST(Convolution, IsInBf16WhereThatIsAskedFor) {
  const auto x = at::randn({2, 32, 8, 8}).contiguous(at::MemoryFormat::ChannelsLast);
  Conv2d layer(torch::nn::Conv2dOptions(32, 32, 3).padding(1));
  place(*layer, at::kCPU);
  EXPECT_EQ(layer->forward(x).scalar_type(), at::kFloat);
  const Autocast bf16(Precision::bf16, at::kCPU);
  EXPECT_EQ(layer->forward(x).scalar_type(), at::kBFloat16);
}

/// By Winograd's algorithm, and with the gradient of weights alone by it, as where LibTorch's own
/// way in bf16 is the faster one.
TEST(Convolution, HasGradientsInBf16) {
  const auto make = [](at::IntArrayRef shape) {
    return at::randn(shape).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_(true);
  };
  for (const bool directly : {false, true}) {
    SCOPED_TRACE(concat("directly ", directly));
    const auto x = make({3, 32, 9, 6}), weight = make({64, 32, 3, 3});
    const auto bias = at::randn({64}).requires_grad_(true);
    const auto narrow = x.to(at::kBFloat16);
    if (!winograd::suits(narrow, weight))
      GTEST_SKIP() << "no kernels for the instruction set of this processor";
    const auto y = winograd_convolution(narrow, weight, bias, directly);
    EXPECT_EQ(y.scalar_type(), at::kBFloat16);
    const auto wide = [](const at::Tensor& t) {
      return t.detach().to(at::kDouble).requires_grad_(true);
    };
    const auto wide_x = wide(x), wide_weight = wide(weight), wide_bias = wide(bias);
    const auto expected = at::conv2d(wide_x, wide_weight, wide_bias, 1, 1);
    EXPECT_LT(relative_error(y, expected), 0.01);
    y.to(at::kFloat).square().sum().backward();
    expected.square().sum().backward();
    EXPECT_EQ(weight.grad().scalar_type(), at::kFloat);
    EXPECT_LT(relative_error(x.grad(), wide_x.grad()), 0.01);
    EXPECT_LT(relative_error(weight.grad(), wide_weight.grad()), 0.01);
    EXPECT_LT(relative_error(bias.grad(), wide_bias.grad()), 0.01);
  }
}

/// The layer under autocast: which of the two ways it takes depends on the processor.
TEST(Convolution, TrainsInBf16) {
  Conv2d layer(torch::nn::Conv2dOptions(32, 32, 3).padding(1));
  place(*layer, at::kCPU);
  const auto x = at::randn({3, 32, 8, 8}).contiguous(at::MemoryFormat::ChannelsLast);
  at::Tensor y;
  {
    const Autocast bf16(Precision::bf16, at::kCPU);
    y = layer->forward(x);
  }
  y.to(at::kFloat).square().sum().backward();
  const auto gradient = layer->weight.grad();
  layer->zero_grad();
  layer->forward(x).square().sum().backward();
  EXPECT_EQ(gradient.scalar_type(), at::kFloat);
  EXPECT_LT(relative_error(gradient, layer->weight.grad()), 0.01);
}

TEST(Convolution, IsPlacedByItsWidth) {
  Conv2d wide(torch::nn::Conv2dOptions(256, 4, 3)), narrow(torch::nn::Conv2dOptions(64, 4, 3));
  place(*wide, at::kCPU);
  place(*narrow, at::kCPU);
  EXPECT_TRUE(wide->weight.is_contiguous());
  EXPECT_TRUE(narrow->weight.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_FALSE(narrow->weight.is_contiguous());
}

}  // namespace
}  // namespace sweep::trainer
