// C&W against what can be worked out by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/attacks/toy.hpp"

namespace sweep::attacks {
namespace {

/// Grey images that are almost flat, so that no minimal change leaves [0,1].
at::Tensor grey_images(std::int64_t count) {
  return 0.5 + 0.1 * (random_images(count) - 0.5);
}

/// Two classes with the boundary `direction` . (x - 0.5) = offset; class 0 is below it.
Logits half_spaces(const at::Tensor& direction, double offset) {
  const at::Tensor at_grey = 0.5 * direction.sum() + offset;
  return linear_model(at::stack({at::zeros_like(direction), direction}),
                      at::stack({at::zeros_like(at_grey), -at_grey}));
}

Json options(double confidence = 0, bool abort_early = true) {
  return {{"binary_search_steps", 9}, {"iterations", 400},        {"learning_rate", 0.005},
          {"initial_const", 0.01},    {"confidence", confidence}, {"abort_early", abort_early}};
}

at::Tensor margin_of_other(const Logits& model, const at::Tensor& images) {
  const at::NoGradGuard no_gradients;
  const at::Tensor logits = model(images);
  return logits.select(1, 1) - logits.select(1, 0);
}

class CwOnHalfSpaces : public ::testing::TestWithParam<double> {};

TEST_P(CwOnHalfSpaces, FindsTheNearestPointBeyondTheBoundary) {
  const double confidence = GetParam();
  const auto generator = at::detail::createCPUGenerator(3);
  const at::Tensor direction = at::randn({3 * 6 * 6}, generator, at::kDouble);
  const Logits model = half_spaces(direction, 4);
  const at::Tensor images = grey_images(6), labels = at::zeros({6}, at::kLong);
  const at::Tensor adversarial =
      make_attack("cw", options(confidence))->perturb(model, images, labels, ignore_steps);
  EXPECT_GT((margin_of_other(model, adversarial)).min().item<double>(), confidence);
  const at::Tensor shortest = (confidence - margin_of_other(model, images)) / direction.norm();
  const at::Tensor excess = l2_distance(adversarial, images) / shortest - 1;
  EXPECT_GE(excess.min().item<double>(), 0);
  EXPECT_LT(excess.max().item<double>(), 0.01);
}

INSTANTIATE_TEST_SUITE_P(Confidences, CwOnHalfSpaces, ::testing::Values(0, 1, 5));

TEST(Cw, TakesTheNearestOfSeveralClasses) {
  // Class k wins where pixel k is brighter than 0.5 + distance k; class 0 wins at grey.
  at::Tensor weights = at::zeros({4, 3 * 6 * 6}, at::kDouble);
  for (int k = 1; k < 4; ++k) weights[k][k] = 1;
  const Logits model = linear_model(weights, at::tensor({0.0, -0.8, -0.6, -0.9}, at::kDouble));
  const at::Tensor images = at::full({1, 3, 6, 6}, 0.5, at::kDouble);
  const at::Tensor adversarial =
      make_attack("cw", options())->perturb(model, images, at::zeros({1}, at::kLong), ignore_steps);
  EXPECT_EQ(predicted(model, adversarial).item<std::int64_t>(), 2);
  EXPECT_NEAR(l2_distance(adversarial, images).item<double>(), 0.1, 0.001);
}

TEST(Cw, GivesTheCleanImageBackWhereItFails) {
  const Logits constant = half_spaces(at::zeros({3 * 6 * 6}, at::kDouble), 1);
  const at::Tensor images = random_images(3);
  const at::Tensor adversarial =
      make_attack("cw", options())
          ->perturb(constant, images, at::zeros({3}, at::kLong), ignore_steps);
  EXPECT_TRUE(adversarial.equal(images));
}

TEST(Cw, KeepsOnlyTheImagesThatReachTheConfidence) {
  // The largest margin in [0,1] is 108 / 2 - 4 = 50.
  const Logits model = half_spaces(at::ones({3 * 6 * 6}, at::kDouble), 4);
  const at::Tensor images = grey_images(2), labels = at::zeros({2}, at::kLong);
  const auto attack = [&](double confidence) {
    return make_attack("cw", options(confidence))->perturb(model, images, labels, ignore_steps);
  };
  EXPECT_GT(margin_of_other(model, attack(20)).min().item<double>(), 20);
  EXPECT_TRUE(attack(51).equal(images));
}

TEST(Cw, LeavesMisclassifiedImagesAsTheyAre) {
  const Logits model = smooth_model();
  const at::Tensor images = random_images(4), labels = (predicted(model, images) + 1).remainder(4);
  int steps = 0;
  const at::Tensor adversarial =
      make_attack("cw", options())->perturb(model, images, labels, [&](double) { ++steps; });
  EXPECT_TRUE(adversarial.equal(images));
  EXPECT_EQ(steps, 0);
}

TEST(Cw, WorksOnMisclassifiedImagesThatLackConfidence) {
  const at::Tensor direction = at::ones({3 * 6 * 6}, at::kDouble);
  const Logits model = half_spaces(direction, -6);  // the images are beyond the boundary
  const at::Tensor images = grey_images(2), labels = at::zeros({2}, at::kLong);
  EXPECT_GT(margin_of_other(model, images).min().item<double>(), 0);
  const at::Tensor adversarial =
      make_attack("cw", options(12))->perturb(model, images, labels, ignore_steps);
  EXPECT_GT(margin_of_other(model, adversarial).min().item<double>(), 12);
}

TEST(Cw, AbortEarlySavesWorkAndLosesLittle) {
  const Logits model = smooth_model();
  const at::Tensor images = random_images(12), labels = predicted(model, images);
  const auto attack = [&](bool abort_early, std::int64_t& evaluated) {
    evaluated = 0;
    const Logits counting = [&](const at::Tensor& batch) {
      evaluated += batch.size(0);
      return model(batch);
    };
    return make_attack("cw", options(0, abort_early))
        ->perturb(counting, images, labels, ignore_steps);
  };
  std::int64_t all = 0, some = 0;
  const at::Tensor longest = attack(false, all), aborted = attack(true, some);
  EXPECT_EQ(all, 12 * (1 + 9 * 400));
  EXPECT_LT(some, all * 9 / 10);
  EXPECT_TRUE(predicted(model, aborted).ne(labels).all().item<bool>());
  const at::Tensor ratio = l2_distance(aborted, images) / l2_distance(longest, images);
  EXPECT_LT(ratio.mean().item<double>(), 1.01);
}

TEST(Cw, TheNextImageTakesThePlaceOfOneThatIsDone) {
  constexpr std::int64_t kImages = 12, kBatch = 4;
  std::int64_t taken = 0;
  std::vector<std::int64_t> sizes;
  const Logits model = smooth_model();
  const Logits watched = [&](const at::Tensor& batch) {
    if (batch.requires_grad() && taken < kImages) sizes.push_back(batch.size(0));
    return model(batch);
  };
  const at::Tensor images = random_images(kImages), labels = predicted(model, images);
  const auto attack = make_attack("cw", options());
  const at::Tensor adversarial =
      perturb_stream(*attack, watched, images, labels, kBatch, ignore_steps, taken);
  ASSERT_FALSE(sizes.empty());
  EXPECT_EQ(*std::min_element(sizes.begin(), sizes.end()), kBatch);
  EXPECT_LT(largest_difference(adversarial, attack->perturb(model, images, labels, ignore_steps)),
            1e-12);
}

TEST(Cw, OfImagesThatAreWrongAlreadyNothingIsAskedTwice) {
  const Logits model = smooth_model();
  const at::Tensor images = random_images(6), labels = (predicted(model, images) + 1).remainder(4);
  std::int64_t taken = 0, asked = 0;
  const Logits watched = [&](const at::Tensor& batch) {
    asked += batch.size(0);
    return model(batch);
  };
  const at::Tensor adversarial = perturb_stream(*make_attack("cw", options()), watched, images,
                                                labels, 4, ignore_steps, taken);
  EXPECT_TRUE(adversarial.equal(images));
  EXPECT_EQ(asked, 6);
}

TEST(Cw, ImagesThatFailDoNotDisturbOthers) {
  const Logits inner = half_spaces(at::ones({3 * 6 * 6}, at::kDouble), 4);
  // Class 0 for certain, without a gradient, where the first pixel is bright.
  const Logits model = [&](const at::Tensor& images) {
    const at::Tensor bright = images.flatten(1).narrow(1, 0, 1) > 0.9;
    return at::where(bright, at::tensor({1.0, 0.0}, at::kDouble), inner(images));
  };
  const at::Tensor images = grey_images(3), labels = at::zeros({3}, at::kLong);
  images[1][0][0][0] = 1;
  const auto attack = [&](std::int64_t first, std::int64_t count) {
    return make_attack("cw", options())
        ->perturb(model, images.narrow(0, first, count), labels.narrow(0, first, count),
                  ignore_steps);
  };
  const at::Tensor together = attack(0, 3);
  EXPECT_TRUE(together[1].equal(images[1]));
  EXPECT_LT(largest_difference(together.narrow(0, 0, 1), attack(0, 1)), 1e-12);
  EXPECT_LT(largest_difference(together.narrow(0, 2, 1), attack(2, 1)), 1e-12);
}

}  // namespace
}  // namespace sweep::attacks
