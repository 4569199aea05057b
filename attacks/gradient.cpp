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

at::Tensor loss_gradient(const Logits& logits, const at::Tensor& images, const at::Tensor& labels) {
  const at::AutoGradMode with_gradients(true);
  const at::Tensor input = images.detach().requires_grad_(true);
  const at::Tensor output = logits(input);
  check_finite(output);
  const at::Tensor loss = at::cross_entropy_loss(output, labels, {}, at::Reduction::Sum);
  return torch::autograd::grad({loss}, {input}).front();
}

}  // namespace sweep::attacks
