#pragma once

#include <ATen/core/Tensor.h>

namespace sweep::attacks {

/// The images within epsilon of a clean one in every pixel, and in [0,1]. Both are boxes, so their
/// intersection is one, too, and projecting on it is clamping.
class EpsilonBall {
 public:
  EpsilonBall(const at::Tensor& clean, double epsilon)
      : lower_((clean - epsilon).clamp_min_(0)), upper_((clean + epsilon).clamp_max_(1)) {}

  void project(at::Tensor& images) const { images.clamp_(lower_, upper_); }

 private:
  at::Tensor lower_, upper_;  ///< [N,3,H,W]
};

}  // namespace sweep::attacks
