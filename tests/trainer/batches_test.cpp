#include "trainer/batches.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/trainer/toy.hpp"

namespace sweep::trainer {
namespace {

using ::testing::ElementsAre;

TEST(LearningRate, FallsAtTheMilestones) {
  const TrainingOptions options{.epochs = 80, .learning_rate = 0.01};
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 0), 0.01);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 39), 0.01);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 40), 0.001);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 59), 0.001);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 60), 0.0001);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 79), 0.0001);
}

TEST(LearningRate, TakesFractionsThatAreNotExact) {
  const TrainingOptions options{.epochs = 10, .learning_rate = 1, .milestones = {0.7}};
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 6), 1);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 7), 0.1);
}

TEST(SampleOrder, IsAPermutationOfItsOwnPerEpochAndSeed) {
  const auto order = sample_order(100, 1, 0);
  EXPECT_EQ(order, sample_order(100, 1, 0));
  EXPECT_NE(order, sample_order(100, 1, 1));
  EXPECT_NE(order, sample_order(100, 2, 0));
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::int64_t i = 0; i < 100; ++i) EXPECT_EQ(sorted[static_cast<std::size_t>(i)], i);
}

TEST(BatchBounds, KeepTheRestButNotASingleImage) {
  EXPECT_THAT(batch_bounds(128, 64), ElementsAre(0, 64, 128));
  EXPECT_THAT(batch_bounds(130, 64), ElementsAre(0, 64, 128, 130));
  EXPECT_THAT(batch_bounds(129, 64), ElementsAre(0, 64, 129));
  EXPECT_THAT(batch_bounds(5, 64), ElementsAre(0, 5));
}

TEST(FlipMask, FollowsFromTheSeedAndIsHalf) {
  EXPECT_TRUE(flip_mask(64, 3).equal(flip_mask(64, 3)));
  EXPECT_FALSE(flip_mask(64, 3).equal(flip_mask(64, 4)));
  EXPECT_NEAR(flip_mask(10000, 5).to(at::kDouble).mean().item<double>(), 0.5, 0.025);
}

TEST(Batches, AreTheChosenImagesInUnitRange) {
  const auto job = toy_job(10, 8);
  TrainingOptions options{.batch_size = 4, .flip = false};
  Batches batches(job.images, job.labels, options, at::kCPU);
  ASSERT_EQ(batches.steps(), 3);
  const auto order = sample_order(10, 0, 1);
  const auto batch = batches.at(1, 2);
  ASSERT_EQ(batch.images.size(0), 2);
  EXPECT_TRUE(batch.images.is_contiguous(at::MemoryFormat::ChannelsLast));
  for (std::int64_t i = 0; i < 2; ++i) {
    const auto source = order[static_cast<std::size_t>(8 + i)];
    EXPECT_TRUE(batch.images[i].equal(job.images[source].to(at::kFloat).div(255)));
    EXPECT_TRUE(batch.labels[i].equal(job.labels[source]));
  }
}

TEST(Batches, FlipSomeImagesAndAreTheSameInAnyOrder) {
  const auto job = toy_job(32, 8);
  Batches plain(job.images, job.labels, {.batch_size = 16, .flip = false}, at::kCPU);
  Batches flipped(job.images, job.labels, {.batch_size = 16, .flip = true}, at::kCPU);
  const auto expected = plain.at(0, 1).images;
  const auto actual = flipped.at(0, 1).images;
  int mirrored = 0;
  for (std::int64_t i = 0; i < 16; ++i) {
    const bool is_mirrored = actual[i].equal(expected[i].flip(2));
    EXPECT_TRUE(is_mirrored || actual[i].equal(expected[i]));
    mirrored += is_mirrored;
  }
  EXPECT_GT(mirrored, 0);
  EXPECT_LT(mirrored, 16);
  flipped.at(3, 0);
  EXPECT_TRUE(flipped.at(0, 1).images.equal(actual));
}

TEST(Batches, ShowEveryImageOnceWithEachOfItsCounterparts) {
  const auto job = toy_job(10, 8);
  const auto clean = job.images.to(at::kFloat) / 255;
  const std::vector<at::Tensor> sets{clean + 0.25, clean - 0.5};
  Batches batches(job.images, job.labels, {.batch_size = 8, .flip = true}, at::kCPU, sets);
  ASSERT_EQ(batches.steps(), 3);
  int seen = 0, lifted = 0;
  for (std::int64_t step = 0; step < batches.steps(); ++step) {
    const auto batch = batches.at(2, step);
    for (std::int64_t i = 0; i < batch.images.size(0); ++i, ++seen) {
      const auto shift = (batch.adversarial[i] - batch.images[i]).mean().item<float>();
      lifted += shift > 0;
      EXPECT_TRUE(
          at::allclose(batch.adversarial[i], batch.images[i] + (shift > 0 ? 0.25 : -0.5), 0, 1e-6));
    }
  }
  EXPECT_EQ(seen, 20);
  EXPECT_EQ(lifted, 10);
}

}  // namespace
}  // namespace sweep::trainer
