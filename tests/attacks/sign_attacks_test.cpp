// FGSM and I-FGSM against what can be worked out by hand.
#include <gtest/gtest.h>

#include "tests/attacks/toy.hpp"

namespace sweep::attacks {
namespace {

constexpr double epsilon = 8.0 / 255;

/// Two classes whose logits fall and rise by `direction` [3*6*6]: the loss of class 0 rises along
/// the sign of it everywhere.
Logits two_classes(const at::Tensor& direction) {
  return linear_model(at::stack({-direction, direction}), at::zeros({2}, at::kDouble));
}

TEST(Fgsm, OnALinearModelIsKnown) {
  const at::Tensor direction = at::randn({3 * 6 * 6}, at::kDouble);
  const at::Tensor images = random_images(4), labels = at::tensor({0, 1, 0, 1}, at::kLong);
  const at::Tensor adversarial =
      make_attack("fgsm", {{"epsilon", epsilon}})
          ->perturb(two_classes(direction), images, labels, ignore_steps);
  const at::Tensor towards_other = (1 - 2 * labels).to(at::kDouble).view({4, 1, 1, 1});
  const at::Tensor expected =
      (images + epsilon * towards_other * direction.sign().view({1, 3, 6, 6})).clamp(0, 1);
  EXPECT_LT(largest_difference(adversarial, expected), 1e-15);
}

TEST(Fgsm, WithoutGradientChangesNothing) {
  const at::Tensor images = random_images(2);
  const Logits model = two_classes(at::zeros({3 * 6 * 6}, at::kDouble));
  const at::Tensor adversarial =
      make_attack("fgsm", {{"epsilon", epsilon}})
          ->perturb(model, images, at::zeros({2}, at::kLong), ignore_steps);
  EXPECT_TRUE(adversarial.equal(images));
}

TEST(Ifgsm, OnALinearModelEndsOnTheProjection) {
  const at::Tensor direction = at::randn({3 * 6 * 6}, at::kDouble);
  const at::Tensor images = random_images(4), labels = at::zeros({4}, at::kLong);
  const auto attack = [&](double alpha, int steps) {
    return make_attack("ifgsm", {{"epsilon", epsilon}, {"alpha", alpha}, {"steps", steps}})
        ->perturb(two_classes(direction), images, labels, ignore_steps);
  };
  const at::Tensor sign = direction.sign().view({1, 3, 6, 6});
  // All steps go the same way: 3 of them by 3 alpha, 10 of them to the edge of the ball.
  EXPECT_LT(largest_difference(attack(0.01, 3), (images + 0.03 * sign).clamp(0, 1)), 1e-15);
  EXPECT_LT(largest_difference(attack(0.01, 10), (images + epsilon * sign).clamp(0, 1)), 1e-15);
}

TEST(Ifgsm, TurnsWhereTheGradientTurns) {
  // The loss of class 0 is largest at pixels of 0.5: steps of 0.1 from 0.25 pass it, then swing.
  const Logits model = [](const at::Tensor& images) {
    const at::Tensor distance = (images - 0.5).square().flatten(1).sum(1);
    return at::stack({distance, -distance}, 1);
  };
  const at::Tensor images = at::full({1, 3, 6, 6}, 0.25, at::kDouble);
  const at::Tensor adversarial =
      make_attack("ifgsm", {{"epsilon", 0.5}, {"alpha", 0.1}, {"steps", 4}})
          ->perturb(model, images, at::zeros({1}, at::kLong), ignore_steps);
  EXPECT_LT(largest_difference(adversarial, at::full_like(images, 0.45)), 1e-12);
}

TEST(SignAttacks, StayInTheEpsilonBall) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    const Logits model = smooth_model(type);
    const at::Tensor images = random_images(16, type), labels = predicted(model, images);
    const auto check = [&](const std::string& name, const Json& options) {
      const at::Tensor adversarial =
          make_attack(name, options)->perturb(model, images, labels, ignore_steps);
      const double distance = largest_difference(adversarial, images);
      EXPECT_LE(distance, epsilon + 1e-7) << name;
      EXPECT_GE(distance, epsilon - 1e-7) << name;
    };
    check("fgsm", {{"epsilon", epsilon}});
    check("ifgsm", {{"epsilon", epsilon}, {"alpha", 1.0 / 255}});
  }
}

}  // namespace
}  // namespace sweep::attacks
