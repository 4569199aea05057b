#include "trainer/sgd.hpp"

#include <ATen/ATen.h>

#include <utility>

#include "trainer/named_tensors.hpp"

namespace sweep::trainer {

Sgd::Sgd(NamedTensors parameters, double momentum, double weight_decay)
    : Optimizer(std::move(parameters)),
      momentum_(momentum),
      weight_decay_(weight_decay),
      buffers_(zeros()) {}

void Sgd::update(Step& step, double learning_rate) {
  const auto buffers = step.of(buffers_);
  at::_foreach_add_(step.gradients, step.parameters, weight_decay_);
  at::_foreach_mul_(buffers, momentum_);
  at::_foreach_add_(buffers, step.gradients);
  at::_foreach_add_(step.parameters, buffers, -learning_rate);
}

NamedTensors Sgd::state() const {
  return with_prefix(buffers_, "momentum.");
}

}  // namespace sweep::trainer
