#include "attacks/gradient.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/error.hpp"

namespace sweep::attacks {

CrossEntropyGradient cross_entropy_gradient(const Logits& logits, const at::Tensor& images,
                                            const at::Tensor& classes) {
  const at::AutoGradMode with_gradients(true);
  const at::Tensor input = images.detach().requires_grad_(true);
  const at::Tensor output = logits(input);
  const at::Tensor loss = at::cross_entropy_loss(output, classes, {}, at::Reduction::Sum);
  return {torch::autograd::grad({loss}, {input}).front(), are_finite(output.detach())};
}

at::Tensor loss_gradient(const Logits& logits, const at::Tensor& images, const Goal& goal) {
  return WhiteBox(logits).loss_gradient(images, goal);
}

at::Tensor is_reached(const at::Tensor& logits, const Goal& goal) {
  const at::Tensor equal = logits.argmax(1).eq(goal.classes);
  return goal.targeted ? equal : equal.logical_not();
}

at::Tensor are_finite(const at::Tensor& logits) {
  return at::isfinite(logits).all();
}

void require_finite(const at::Tensor& finite) {
  if (!finite.item<bool>())
    throw Error(
        FailureType::not_finite,
        "the attacked model's logits are not finite (its gradients say nothing); train it with a "
        "smaller learning rate");
}

}  // namespace sweep::attacks
