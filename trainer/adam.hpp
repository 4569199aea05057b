#pragma once

#include "trainer/optimizer.hpp"

namespace sweep::trainer {

/// Adam (Kingma and Ba 2015, arXiv:1412.6980) with the authors' constants, step for step that of
/// torch.optim.Adam: weight decay is added to the gradient. All parameters count one common number
/// of steps.
class Adam final : public Optimizer {
 public:
  Adam(NamedTensors parameters, double weight_decay);
  NamedTensors state() const override;  ///< "mean.NAME", "mean_square.NAME", "steps"

 private:
  void update(Step& step, double learning_rate) override;

  double weight_decay_;
  NamedTensors mean_, mean_square_;
  at::Tensor steps_;  ///< 0-dimensional int64
};

}  // namespace sweep::trainer
