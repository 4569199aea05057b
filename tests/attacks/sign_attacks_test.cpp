// FGSM, I-FGSM, MI-FGSM and PGD against what can be worked out by hand.
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

at::Tensor ifgsm_like(const std::string& name, const Logits& model, Json more = Json::object()) {
  more.update({{"epsilon", epsilon}, {"alpha", 1.0 / 255}, {"steps", 6}});
  const at::Tensor images = random_images(8);
  return make_attack(name, more)->perturb(model, images, predicted(model, images), ignore_steps);
}

TEST(Pgd, WithoutARandomStartIsIfgsm) {
  const Logits model = smooth_model();
  EXPECT_TRUE(
      ifgsm_like("pgd", model, {{"random_start", false}}).equal(ifgsm_like("ifgsm", model)));
}

TEST(Pgd, StartsFollowTheSeedAndThePlaceInTheSet) {
  // Without a gradient the start is what comes out.
  const Logits constant = two_classes(at::zeros({3 * 6 * 6}, at::kDouble));
  const at::Tensor images = at::full({4, 3, 6, 6}, 0.5, at::kDouble);
  const auto starts = [&](std::int64_t seed, std::int64_t first) {
    return make_attack("pgd", {{"epsilon", 0.1}, {"alpha", 0.01}, {"seed", seed}})
        ->perturb(constant, images, Goal(at::zeros({4}, at::kLong), false, first), ignore_steps);
  };
  const at::Tensor at_0 = starts(0, 0);
  EXPECT_TRUE(starts(0, 0).equal(at_0));
  EXPECT_TRUE(starts(0, 2).narrow(0, 0, 2).equal(at_0.narrow(0, 2, 2)));
  EXPECT_FALSE(starts(1, 0).equal(at_0));
  EXPECT_FALSE(at_0[0].equal(at_0[1]));
  EXPECT_LE(largest_difference(at_0, images), 0.1);
  EXPECT_GT(largest_difference(at_0, images), 0.095);
}

TEST(Pgd, RestartsFoolMore) {
  const Logits model = smooth_model();
  const at::Tensor images = random_images(64), labels = predicted(model, images);
  const auto fooled = [&](std::int64_t restarts) {
    const Json options{{"epsilon", 0.03}, {"alpha", 0.03}, {"steps", 1}, {"restarts", restarts}};
    const at::Tensor adversarial =
        make_attack("pgd", options)->perturb(model, images, labels, ignore_steps);
    return predicted(model, adversarial).ne(labels);
  };
  const at::Tensor once = fooled(1), often = fooled(20);
  EXPECT_GT(often.sum().item<std::int64_t>(), once.sum().item<std::int64_t>());
  EXPECT_FALSE((once & ~often).any().item<bool>()) << "what is fooled is left alone";
}

TEST(Mifgsm, WithoutMomentumIsIfgsm) {
  const Logits model = smooth_model();
  EXPECT_TRUE(ifgsm_like("mifgsm", model, {{"decay", 0.0}}).equal(ifgsm_like("ifgsm", model)));
}

TEST(Mifgsm, MomentumCarriesBeyondATurn) {
  // As in TurnsWhereTheGradientTurns: gradients of equal norm but opposite sign cancel at first.
  const Logits model = [](const at::Tensor& images) {
    const at::Tensor distance = (images - 0.5).square().flatten(1).sum(1);
    return at::stack({distance, -distance}, 1);
  };
  const at::Tensor images = at::full({1, 3, 6, 6}, 0.25, at::kDouble);
  const auto attack = [&](int steps) {
    return make_attack("mifgsm", {{"epsilon", 0.5}, {"alpha", 0.1}, {"steps", steps}, {"decay", 1}})
        ->perturb(model, images, at::zeros({1}, at::kLong), ignore_steps)
        .mean()
        .item<double>();
  };
  EXPECT_NEAR(attack(3), 0.55, 1e-12);
  // The momentum is 3 ahead; the gradient at 0.55 takes 1 away, so three more steps go on.
  EXPECT_NEAR(attack(4), 0.65, 1e-12);
  EXPECT_NEAR(attack(5), 0.75, 1e-12);
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
    check("mifgsm", {{"epsilon", epsilon}, {"alpha", 1.0 / 255}});
    check("pgd", {{"epsilon", epsilon}, {"alpha", 1.0 / 255}, {"restarts", 3}});
  }
}

}  // namespace
}  // namespace sweep::attacks
