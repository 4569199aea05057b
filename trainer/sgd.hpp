#pragma once

#include "trainer/optimizer.hpp"

namespace sweep::trainer {

/// Stochastic gradient descent with momentum, step for step that of torch.optim.SGD (no dampening,
/// no Nesterov): g += weight_decay * p; v = momentum * v + g; p -= learning_rate * v.
class Sgd final : public Optimizer {
 public:
  Sgd(NamedTensors parameters, double momentum, double weight_decay);
  NamedTensors state() const override;  ///< "momentum.NAME": v

 private:
  void update(Step& step, double learning_rate) override;

  double momentum_, weight_decay_;
  NamedTensors buffers_;
};

}  // namespace sweep::trainer
