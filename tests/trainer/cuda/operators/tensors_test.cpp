#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/function.h>

#include "attacks/epsilon_ball.hpp"
#include "attacks/methods/cw_update.hpp"
#include "tests/trainer/cuda/operators/device.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/batches.hpp"
#include "trainer/distances.hpp"
#include "trainer/noise.hpp"

// Float64, and other memory orders, go the plain way.

namespace sweep::trainer {
namespace {

at::Tensor unevenly_bright(std::uint64_t seed) {
  return at::rand({5, 3, 6, 7}, at::detail::createCPUGenerator(seed), at::kDouble)
      .contiguous(at::MemoryFormat::ChannelsLast)
      .to(tested_device());
}

TEST(FusedNoise, HasTheBitsOfThePlainOne) {
  const auto x = unevenly_bright(1).to(at::kFloat);
  const auto fused = add_uniform_noise(x, 0.1, 0xfedcba9876543210, 3);
  EXPECT_TRUE(fused.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(fused.equal(add_uniform_noise(x.contiguous(), 0.1, 0xfedcba9876543210, 3)));
}

TEST(FusedBatches, AreThePlainOnes) {
  const auto job = toy_job(20, 9);
  auto options = job.options;
  options.flip = true;
  Batches fused(job.images, job.labels, options, tested_device());
  Batches plain(job.images.contiguous(at::MemoryFormat::ChannelsLast), job.labels, options,
                tested_device());
  for (std::int64_t step = 0; step < fused.steps(); ++step) {
    const auto batch = fused.at(1, step);
    EXPECT_TRUE(batch.images.is_contiguous(at::MemoryFormat::ChannelsLast));
    EXPECT_TRUE(batch.images.equal(plain.at(1, step).images)) << step;
  }
}

TEST(FusedDistances, AreNormsWithTheirGradients) {
  const auto run = [](at::ScalarType type) {
    const auto a = unevenly_bright(2).to(type).requires_grad_(true);
    auto b = unevenly_bright(3).to(type);
    b[1].copy_(a[1].detach());  // a distance of zero
    b.requires_grad_(true);
    const auto found = distances(a, b);
    (found * at::arange(5).to(tested_device(), type)).sum().backward();
    return std::array{found.detach(), a.grad(), b.grad()};
  };
  const auto fused = run(at::kFloat), plain = run(at::kDouble);
  for (std::size_t i = 0; i < fused.size(); ++i)
    EXPECT_LT(relative_error(fused[i], plain[i]), 1e-5) << i;
}

TEST(FusedDistances, HaveAGradientOfOneSide) {
  const auto a = unevenly_bright(2).to(at::kFloat).requires_grad_(true),
             b = unevenly_bright(3).to(at::kFloat);
  const auto found = distances(a, b);
  EXPECT_NE(found.grad_fn()->name().find("Distances"), std::string::npos);
  found.sum().backward();
  const auto difference = a.detach() - b;
  const auto expected = difference / found.detach().view({-1, 1, 1, 1});
  EXPECT_LT(relative_error(a.grad(), expected), 1e-5);
}

TEST(FusedSteps, OfTheEpsilonBall) {
  const auto run = [](at::ScalarType type) {
    const auto clean = unevenly_bright(4).to(type);
    const auto direction =
        (unevenly_bright(5) - 0.5).to(type).contiguous(at::MemoryFormat::ChannelsLast);
    direction.select(1, 0).zero_();
    const attacks::EpsilonBall ball(clean, 0.1);
    at::Tensor x = clean.clone();
    for (int i = 0; i < 3; ++i) ball.step(x, direction, 0.04);
    return x;
  };
  EXPECT_LT(relative_error(run(at::kFloat), run(at::kDouble)), 1e-6);
}

TEST(FusedSteps, OfCarliniAndWagner) {
  const auto run = [](at::ScalarType type) {
    const auto clean = unevenly_bright(6).to(type);
    auto variables = attacks::cw_start(clean);
    for (std::int64_t i = 0; i < 3; ++i)
      attacks::cw_update(variables, {.gradient = (unevenly_bright(7 + i) - 0.5).to(type),
                                     .clean = clean,
                                     .iteration = at::tensor({0, 1, 2, 3, 4}, at::kLong) + i,
                                     .learning_rate = 0.01});
    return std::array{variables.w, variables.mean, variables.mean_square, variables.adversarial};
  };
  const auto fused = run(at::kFloat), plain = run(at::kDouble);
  for (std::size_t i = 0; i < fused.size(); ++i)
    EXPECT_LT(relative_error(fused[i], plain[i]), 1e-4) << i;
}

}  // namespace
}  // namespace sweep::trainer
