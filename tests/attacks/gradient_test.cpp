#include "attacks/gradient.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/attacks/toy.hpp"

namespace sweep::attacks {
namespace {

TEST(LossGradient, IsThatOfFiniteDifferences) {
  const Logits model = smooth_model();
  const at::Tensor images = random_images(2);
  const at::Tensor labels = at::tensor({1, 3}, at::kLong);
  const at::Tensor gradient = loss_gradient(model, images, labels);
  const auto loss = [&](const at::Tensor& x) {
    return at::cross_entropy_loss(model(x), labels, {}, at::Reduction::Sum).item<double>();
  };
  constexpr double h = 1e-5;
  for (std::int64_t i = 0; i < images.numel(); ++i) {
    at::Tensor above = images.clone(), below = images.clone();
    above.view(-1)[i] += h;
    below.view(-1)[i] -= h;
    const double expected = (loss(above) - loss(below)) / (2 * h);
    EXPECT_NEAR(gradient.view(-1)[i].item<double>(), expected, 1e-8) << "element " << i;
  }
}

TEST(LossGradient, DoesNotDependOnTheBatch) {
  const at::Tensor images = random_images(8), labels = at::arange(8, at::kLong).remainder(4);
  const at::Tensor whole = loss_gradient(smooth_model(), images, labels);
  for (std::int64_t i = 0; i < 8; ++i) {
    const at::Tensor single =
        loss_gradient(smooth_model(), images.narrow(0, i, 1), labels.narrow(0, i, 1));
    EXPECT_LT(largest_difference(whole.narrow(0, i, 1), single), 1e-14);
  }
}

TEST(LossGradient, WorksWhereGradientsAreOff) {
  const at::NoGradGuard no_gradients;
  const at::Tensor gradient =
      loss_gradient(smooth_model(), random_images(1), at::zeros({1}, at::kLong));
  EXPECT_GT(gradient.abs().max().item<double>(), 0);
  EXPECT_FALSE(gradient.requires_grad());
}

TEST(LossGradient, LeavesParametersAlone) {
  const at::Tensor weights = at::randn({2, 3 * 6 * 6}, at::kDouble).requires_grad_(true);
  const Logits model = linear_model(weights, at::zeros({2}, at::kDouble));
  loss_gradient(model, random_images(2), at::zeros({2}, at::kLong));
  EXPECT_FALSE(weights.grad().defined());
}

TEST(LossGradient, RefusesLogitsThatAreNotFinite) {
  const Logits broken = [](const at::Tensor& images) {
    return images.flatten(1).narrow(1, 0, 2) / 0.0;
  };
  try {
    loss_gradient(broken, random_images(1), at::zeros({1}, at::kLong));
    ADD_FAILURE() << "infinite logits were accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.type(), FailureType::not_finite);
  }
}

}  // namespace
}  // namespace sweep::attacks
