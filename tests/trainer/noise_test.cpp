#include "trainer/noise.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/trainer/toy.hpp"

namespace sweep::trainer {
namespace {

at::Tensor noise(std::uint64_t seed, at::IntArrayRef shape = {8, 3, 64, 64}) {
  return add_uniform_noise(at::zeros(shape), 1, seed).view(-1);
}

double correlation(const at::Tensor& a, const at::Tensor& b) {
  return 3 * (a * b).mean().item<double>();  // the variance of U[-1,1] is 1/3
}

TEST(Noise, IsUniform) {
  const auto values = noise(7);
  EXPECT_GE(values.min().item<float>(), -1);
  EXPECT_LE(values.max().item<float>(), 1);
  EXPECT_NEAR(values.mean().item<double>(), 0, 0.01);
  EXPECT_NEAR(values.var().item<double>(), 1.0 / 3, 0.01);
  const auto counts = values.histc(20, -1, 1);
  const double expected = static_cast<double>(values.numel()) / 20;
  const auto chi2 = ((counts - expected).square() / expected).sum().item<double>();
  EXPECT_LT(chi2, 50);  // 19 degrees of freedom: exceeded by chance once in 10^4
}

TEST(Noise, IsIndependentOfPositionAndSeed) {
  constexpr double limit = 0.02;  // 6 standard deviations of 98,304 products
  const auto values = noise(7);
  for (const std::int64_t lag : {1, 2, 64, 4096, 12288})
    EXPECT_LT(std::abs(correlation(values.slice(0, lag), values.slice(0, 0, -lag))), limit) << lag;
  for (const std::uint64_t other : {0ull, 6ull, 8ull, 7ull + (1ull << 32), 7ull | (1ull << 63)})
    EXPECT_LT(std::abs(correlation(values, noise(other))), limit) << other;
}

TEST(Noise, FollowsFromTheSeedWhateverTheLayout) {
  const auto images = at::rand({4, 3, 16, 16});
  const auto once = add_uniform_noise(images, 0.1, 3);
  EXPECT_TRUE(once.equal(add_uniform_noise(images, 0.1, 3)));
  const auto channels_last = images.contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(once.equal(add_uniform_noise(channels_last, 0.1, 3)));
  EXPECT_TRUE(
      add_uniform_noise(channels_last, 0.1, 3).is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_FALSE(once.equal(add_uniform_noise(images, 0.1, 4)));
}

TEST(Noise, KeepsWithinSigmaAndIsNotClipped) {
  const auto noisy = add_uniform_noise(at::ones({4, 3, 16, 16}), 8.0 / 255, 3);
  EXPECT_GT(noisy.max().item<float>(), 1);
  EXPECT_LE((noisy - 1).abs().max().item<double>(), 8.0 / 255 + 1e-6);
}

// The first values, so that a change of the formula (and of every trained model) can't go unseen.
TEST(Noise, HasTheValuesOfItsFormula) {
  const auto reference = [](std::uint32_t i, std::uint64_t seed) {
    const auto scramble = [](std::uint32_t h) {
      h = (h ^ (h >> 16)) * 0x21f0aaadu;
      h = (h ^ (h >> 15)) * 0x735a2d97u;
      return h ^ (h >> 15);
    };
    const auto first = scramble(i ^ static_cast<std::uint32_t>(seed));
    const auto second = scramble(first ^ static_cast<std::uint32_t>(seed >> 32));
    return static_cast<float>(second >> 8) * 0x1p-23f - 1;
  };
  constexpr std::uint64_t seed = 0xfedcba9876543210;
  const auto values = noise(seed);
  for (std::uint32_t i = 0; i < 1000; ++i) ASSERT_EQ(values[i].item<float>(), reference(i, seed));
}

TEST(StandardNormal, HasTheMomentsOfTheDistribution) {
  const auto values = standard_normal(at::empty({16, 3, 64, 64}), 5).to(at::kDouble);
  EXPECT_TRUE(at::isfinite(values).all().item<bool>());
  EXPECT_NEAR(values.mean().item<double>(), 0, 0.01);
  EXPECT_NEAR(values.square().mean().item<double>(), 1, 0.02);
  EXPECT_NEAR(values.pow(4).mean().item<double>(), 3, 0.1);
  EXPECT_NEAR(values.abs().gt(1.959964).to(at::kDouble).mean().item<double>(), 0.05, 0.003);
}

}  // namespace
}  // namespace sweep::trainer
