#include "trainer/sgd.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <utility>

namespace sweep::trainer {

Sgd::Sgd(NamedTensors parameters, double momentum, double weight_decay)
    : parameters_(std::move(parameters)), momentum_(momentum), weight_decay_(weight_decay) {
  for (const auto& [name, parameter] : parameters_)
    buffers_.emplace(name, at::zeros_like(parameter.detach()));
}

void Sgd::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> parameters, gradients, buffers;
  for (auto& [name, parameter] : parameters_) {
    if (!parameter.grad().defined()) continue;
    parameters.push_back(parameter);
    gradients.push_back(parameter.grad());
    buffers.push_back(buffers_.at(name));
    parameter.mutable_grad().reset();
  }
  if (parameters.empty()) return;
  at::_foreach_add_(gradients, parameters, weight_decay_);
  at::_foreach_mul_(buffers, momentum_);
  at::_foreach_add_(buffers, gradients);
  at::_foreach_add_(parameters, buffers, -learning_rate);
}

}  // namespace sweep::trainer
