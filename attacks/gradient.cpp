#include "attacks/gradient.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/error.hpp"

namespace sweep::attacks {

void check_finite(const at::Tensor& logits) {
  if (!at::isfinite(logits).all().item<bool>())
    throw Error(
        FailureType::not_finite,
        "the attacked model's logits are not finite (its gradients say nothing); train it with a "
        "smaller learning rate");
}

at::Tensor loss_gradient(const Logits& logits, const at::Tensor& images, const Goal& goal) {
  const at::AutoGradMode with_gradients(true);
  const at::Tensor input = images.detach().requires_grad_(true);
  const at::Tensor output = logits(input);
  check_finite(output);
  const at::Tensor loss = at::cross_entropy_loss(output, goal.classes, {}, at::Reduction::Sum);
  const at::Tensor gradient = torch::autograd::grad({loss}, {input}).front();
  return goal.targeted ? gradient.neg() : gradient;
}

at::Tensor is_reached(const at::Tensor& logits, const Goal& goal) {
  const at::Tensor equal = logits.argmax(1).eq(goal.classes);
  return goal.targeted ? equal : equal.logical_not();
}

}  // namespace sweep::attacks
