#pragma once

#include "trainer/tensors.hpp"

namespace sweep::trainer {

/// Stochastic gradient descent with momentum, step for step that of torch.optim.SGD (no dampening,
/// no Nesterov), with buffers that have names, so that checkpoints are plain named tensors.
class Sgd {
 public:
  /// @param parameters  to be changed in place; those without a gradient are left alone
  Sgd(NamedTensors parameters, double momentum, double weight_decay);

  /// g += weight_decay * p; v = momentum * v + g; p -= learning_rate * v. Drops the gradients.
  void step(double learning_rate);

  /// The buffers v under the names of their parameters: the optimiser's own tensors, not copies.
  const NamedTensors& momentum_buffers() const { return buffers_; }

 private:
  NamedTensors parameters_, buffers_;
  double momentum_, weight_decay_;
};

}  // namespace sweep::trainer
