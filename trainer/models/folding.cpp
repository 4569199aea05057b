#include "trainer/models/folding.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/nn/modules/conv.h>

#include "trainer/models/norm_relu.hpp"

namespace sweep::trainer {
namespace {

/// In float64, so that a weight is rounded once.
void fold(torch::nn::Conv2dImpl& convolution, BatchNorm2dImpl& norm) {
  const auto precise = [](const at::Tensor& tensor) { return tensor.detach().to(at::kDouble); };
  const auto scale =
      precise(norm.weight) * (precise(norm.running_var) + norm.options.eps()).rsqrt();
  auto shift = precise(norm.bias) - precise(norm.running_mean) * scale;
  if (convolution.bias.defined()) shift = shift + precise(convolution.bias) * scale;
  convolution.weight.copy_(precise(convolution.weight) * scale.view({-1, 1, 1, 1}));
  shift = shift.to(convolution.weight.scalar_type());
  if (adds_folded_bias(convolution.weight)) {
    convolution.bias = at::Tensor();
    norm.folded_bias = shift;
  } else {
    convolution.bias = shift;
  }
  norm.folded = true;
}

}  // namespace

int fold_batch_norm(torch::nn::Module& module) {
  const at::NoGradGuard no_grad;
  int folded = 0;
  for (const auto& parent : module.modules()) {
    torch::nn::Conv2dImpl* convolution = nullptr;
    for (const auto& child : parent->children()) {
      auto* norm = child->as<BatchNorm2dImpl>();
      if (norm && convolution && !norm->folded) {
        fold(*convolution, *norm);
        ++folded;
      }
      convolution = child->as<torch::nn::Conv2dImpl>();
    }
  }
  return folded;
}

}  // namespace sweep::trainer
