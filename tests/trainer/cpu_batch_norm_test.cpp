#include "trainer/parallel/cpu_batch_norm.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>

#include <mutex>

#include "tests/trainer/thread_team.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/batches.hpp"
#include "trainer/cpu/batch_norm/kernels.hpp"
#include "trainer/models/norm_relu.hpp"

// Float64 is not what the kernels take: it goes LibTorch's way, which is what float32 is compared
// with.

namespace sweep::trainer {
namespace {

constexpr std::int64_t kChannels = 32;

/// Values that bfloat16 holds, so that ReLU cuts the same in every type.
at::Tensor random(at::IntArrayRef shape, std::uint64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::kDouble)
      .to(at::kBFloat16)
      .to(at::kDouble);
}

at::Tensor images(std::int64_t count, std::uint64_t seed) {
  return random({count, kChannels, 5, 6}, seed).contiguous(at::MemoryFormat::ChannelsLast);
}

BatchNorm2d make_norm(at::ScalarType type) {
  BatchNorm2d norm(kChannels);
  norm->to(type);
  const at::NoGradGuard no_grad;
  norm->weight.copy_(random({kChannels}, 1));
  norm->bias.copy_(random({kChannels}, 2));
  return norm;
}

enum class Behind { nothing, relu, residual_and_relu };

/// A layer and what it has been run on.
struct Layer {
  BatchNorm2d norm;
  at::Tensor x, residual, y{};

  void run(Behind behind) {
    const auto added = behind == Behind::residual_and_relu ? residual * 1 : at::Tensor();
    y = behind == Behind::nothing ? norm(x * 1) : norm_relu(*norm, x * 1, added);
  }
};

Layer layer_of(std::int64_t first, std::int64_t count, at::ScalarType type) {
  const auto own = [&](std::uint64_t seed) {
    return images(first + count, seed).narrow(0, first, count).to(type).requires_grad_();
  };
  return {make_norm(type), own(3), own(4)};
}

at::Tensor loss_of(const Layer& layer, std::int64_t first) {
  const std::int64_t count = layer.y.size(0);
  return (layer.y * images(first + count, 5).narrow(0, first, count).to(layer.y.scalar_type()))
      .sum();
}

class CpuBatchNormLayer : public ::testing::TestWithParam<Behind> {
 protected:
  void SetUp() override {
    if (!cpu::norm_kernels())
      GTEST_SKIP() << "no kernels for the instruction set of this processor";
  }
};

TEST_P(CpuBatchNormLayer, IsThatOfLibTorch) {
  auto expected = layer_of(0, 6, at::kDouble), actual = layer_of(0, 6, at::kFloat);
  ASSERT_TRUE(takes_cpu_batch_norm(*actual.norm, actual.x));
  ASSERT_FALSE(takes_cpu_batch_norm(*expected.norm, expected.x));
  for (auto* layer : {&expected, &actual}) {
    layer->run(GetParam());
    loss_of(*layer, 0).backward();
  }
  // All in one.
  EXPECT_THAT(actual.y.grad_fn()->name(), testing::HasSubstr("CpuBatchNorm"));
  EXPECT_LT(relative_error(actual.y, expected.y), 1e-6);
  EXPECT_LT(relative_error(actual.norm->running_mean, expected.norm->running_mean), 1e-6);
  EXPECT_LT(relative_error(actual.norm->running_var, expected.norm->running_var), 1e-6);
  EXPECT_EQ(actual.norm->num_batches_tracked.item<std::int64_t>(), 1);
  EXPECT_LT(relative_error(actual.x.grad(), expected.x.grad()), 1e-5);
  EXPECT_LT(relative_error(actual.norm->weight.grad(), expected.norm->weight.grad()), 1e-5);
  EXPECT_LT(relative_error(actual.norm->bias.grad(), expected.norm->bias.grad()), 1e-5);
  if (GetParam() != Behind::residual_and_relu) return;
  EXPECT_LT(relative_error(actual.residual.grad(), expected.residual.grad()), 1e-6);
}

/// The statistics of all ranks, here and in the gradient; the last of three ranks has no images.
TEST_P(CpuBatchNormLayer, SharesStatistics) {
  constexpr std::int64_t kCount = 2;
  auto alone = layer_of(0, kCount, at::kFloat);
  alone.run(GetParam());
  loss_of(alone, 0).backward();
  std::mutex mutex;
  auto to_weight = at::zeros({kChannels}, at::kDouble), to_bias = to_weight.clone();
  on_ranks(3, [&](Communicator& communicator) {
    const auto share = share_of(kCount, communicator.rank(), communicator.size());
    const std::int64_t first = share.counts() ? share.first : 0;
    auto layer = layer_of(first, 1, at::kFloat);
    SharedStatistics statistics(communicator);
    statistics.counts = share.counts();
    share_statistics(*layer.norm, statistics);
    layer.run(GetParam());
    (loss_of(layer, first) * (share.counts() ? 1.0 : 0.0)).backward();
    const std::lock_guard lock(mutex);
    to_weight += layer.norm->weight.grad();
    to_bias += layer.norm->bias.grad();
    EXPECT_LT(relative_error(layer.norm->running_mean, alone.norm->running_mean), 1e-6);
    EXPECT_LT(relative_error(layer.norm->running_var, alone.norm->running_var), 1e-6);
    if (!share.counts()) {
      EXPECT_EQ(layer.x.grad().abs().max().item<double>(), 0);
      return;
    }
    EXPECT_LT(relative_error(layer.y, alone.y.narrow(0, first, 1)), 1e-6);
    EXPECT_LT(relative_error(layer.x.grad(), alone.x.grad().narrow(0, first, 1)), 1e-5);
  });
  EXPECT_LT(relative_error(to_weight, alone.norm->weight.grad()), 1e-5);
  EXPECT_LT(relative_error(to_bias, alone.norm->bias.grad()), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(, CpuBatchNormLayer,
                         ::testing::Values(Behind::nothing, Behind::relu,
                                           Behind::residual_and_relu),
                         [](const auto& tested) {
                           return tested.param == Behind::nothing ? "plain"
                                  : tested.param == Behind::relu  ? "relu"
                                                                  : "residual";
                         });

TEST(TakesCpuBatchNorm, InTrainingAlone) {
  if (!cpu::norm_kernels()) GTEST_SKIP() << "no kernels for the instruction set of this processor";
  const auto x = images(2, 3).to(at::kFloat);
  auto norm = make_norm(at::kFloat);
  EXPECT_TRUE(takes_cpu_batch_norm(*norm, x));
  EXPECT_FALSE(takes_cpu_batch_norm(*norm, x.narrow(0, 0, 1).narrow(2, 0, 1).narrow(3, 0, 1)));
  norm->eval();
  EXPECT_FALSE(takes_cpu_batch_norm(*norm, x));
}

}  // namespace
}  // namespace sweep::trainer
