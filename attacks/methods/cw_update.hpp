#pragma once

#include <ATen/core/Tensor.h>

namespace sweep::attacks {

/// What C&W moves, of n images: [n,3,H,W] each, in one memory order.
struct CwVariables {
  at::Tensor w;                  ///< the variable of Adam
  at::Tensor mean, mean_square;  ///< Adam's moments
  at::Tensor adversarial;        ///< x' = (tanh(w) + 1) / 2

  CwVariables of(const at::Tensor& rows) const;
  /// These images and those of `others`.
  CwVariables with(const CwVariables& others) const;
  void put(const at::Tensor& rows, const CwVariables& values);
};

/// Before the first step: x' is `clean`, but for pixels of 0 and 1, which w could not reach.
CwVariables cw_start(const at::Tensor& clean);

struct CwStep {
  at::Tensor gradient;   ///< [n,3,H,W], with respect to x', of the loss without ||x' - x||^2
  at::Tensor clean;      ///< x
  at::Tensor iteration;  ///< [n] int64 on the CPU: of each image, from 0
  double learning_rate;
};

/// One step of Adam on w, with the gradient of the distance added; x' follows. In one pass over
/// memory where the device has a kernel for it.
void cw_update(CwVariables& variables, const CwStep& step);

}  // namespace sweep::attacks
