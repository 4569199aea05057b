#pragma once

#include <ATen/core/Tensor.h>

namespace sweep::attacks {

/// The images within epsilon of a clean one in every pixel, and in [0,1]. Both are boxes, so their
/// intersection is one, too, and projecting on it is clamping.
class EpsilonBall {
 public:
  EpsilonBall(const at::Tensor& clean, double epsilon)
      : lower_((clean - epsilon).clamp_min_(0)), upper_((clean + epsilon).clamp_max_(1)) {}

  /// Goes `alpha` along the sign of `direction` and projects: `images`, in place. In one pass over
  /// memory where the device has a kernel for it.
  void step(at::Tensor& images, const at::Tensor& direction, double alpha) const;

 private:
  at::Tensor lower_, upper_;  ///< [N,3,H,W]
};

}  // namespace sweep::attacks
