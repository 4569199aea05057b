#include "trainer/models/dropout.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "trainer/tensors.hpp"

namespace sweep::trainer {
namespace {

constexpr std::int64_t kWidth = 37;

/// What layers lose one after the other within one step, of images that are given twice: 1 or 0.
std::vector<at::Tensor> kept(const Seed& seed, const Share& share, double p = 0.3, int layers = 1) {
  DropoutOfStep step(seed, share);
  std::vector<at::Tensor> masks;
  for (int i = 0; i < layers; ++i)
    masks.push_back(step.kept(at::empty({2 * share.count, kWidth}), p).to(at::kFloat));
  return masks;
}

TEST(Dropout, LosesTheShareThatItIsAskedTo) {
  for (const double p : {0.0, 0.2, 0.5, 0.9}) {
    const auto mask = kept(7, share_of(1000, 0, 1), p).front();
    EXPECT_NEAR(mask.mean().item<double>(), 1 - p, 0.007) << p;  // 4 standard deviations
  }
}

TEST(Dropout, LosesTheSameOnAllRanks) {
  constexpr std::int64_t images = 11;
  const auto whole = kept(7, share_of(images, 0, 1), 0.3, 2);
  for (int rank = 0; rank < 3; ++rank) {
    const Share share = share_of(images, rank, 3);
    const auto part = kept(7, share, 0.3, 2);
    for (std::size_t layer = 0; layer < 2; ++layer)
      for (std::int64_t pass = 0; pass < 2; ++pass)
        EXPECT_TRUE(part[layer]
                        .narrow(0, pass * share.count, share.count)
                        .equal(whole[layer].narrow(0, pass * images + share.first, share.count)));
  }
}

/// In different layers, for images that come a second time, with another seed.
TEST(Dropout, DrawsAnew) {
  const auto masks = kept(7, share_of(500, 0, 1), 0.5, 2);
  const auto same = [](const at::Tensor& a, const at::Tensor& b) {
    return a.eq(b).to(at::kFloat).mean().item<double>();
  };
  EXPECT_NEAR(same(masks[0], masks[1]), 0.5, 0.01);
  EXPECT_NEAR(same(masks[0].narrow(0, 0, 500), masks[0].narrow(0, 500, 500)), 0.5, 0.015);
  EXPECT_NEAR(same(masks[0], kept(8, share_of(500, 0, 1), 0.5).front()), 0.5, 0.01);
  EXPECT_TRUE(masks[0].equal(kept(7, share_of(500, 0, 1), 0.5).front()));
}

/// As a step does that is recorded for a device.
TEST(Dropout, TakesASeedThatTheHostDoesNotKnow) {
  const Seed known(0x0123456789abcdef);
  const Seed recorded(known.halves(at::kCPU));
  EXPECT_TRUE(recorded.branch(0xfedcba9876543210)
                  .halves(at::kCPU)
                  .equal(known.branch(0xfedcba9876543210).halves(at::kCPU)));
  EXPECT_TRUE(kept(known, share_of(9, 0, 1), 0.3, 2)[1].equal(
      kept(recorded, share_of(9, 0, 1), 0.3, 2)[1]));
}

TEST(Dropout, DividesWhatItKeepsAndItsGradient) {
  Dropout layer(0.2);
  const auto x = at::rand({6, kWidth}).requires_grad_();
  at::Tensor y;
  {
    const DropoutOfStep step(7, share_of(6, 0, 1));
    y = layer(x);
  }
  const auto mask = DropoutOfStep(7, share_of(6, 0, 1)).kept(x, 0.2).to(at::kFloat);
  EXPECT_TRUE(y.allclose(x * mask / 0.8));
  y.sum().backward();
  EXPECT_TRUE(x.grad().allclose(mask / 0.8));
}

TEST(Dropout, LosesNothingInEvaluationAndDrawsFreelyOutsideOfSteps) {
  Dropout layer(0.5);
  const auto x = at::ones({64, kWidth});
  EXPECT_NEAR(layer(x).mean().item<double>(), 1, 0.2);
  EXPECT_FALSE(layer(x).equal(layer(x)));
  const DropoutOfStep step(7, share_of(64, 0, 1));
  layer->eval();
  EXPECT_TRUE(layer(x).equal(x));
}

TEST(Dropout, RefusesRowsThatAreNoImagesOfTheBatch) {
  DropoutOfStep step(7, share_of(6, 0, 1));
  try {
    step.kept(at::empty({9, kWidth}), 0.5);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.type(), FailureType::internal);
    EXPECT_THAT(error.what(), testing::HasSubstr("9 rows in a step on 6 images"));
  }
}

}  // namespace
}  // namespace sweep::trainer
