#include "attacks/epsilon_ball.hpp"

#include <ATen/ATen.h>
#include <torch/library.h>

#include "attacks/device_operator.hpp"

namespace sweep::attacks {
namespace {

TORCH_LIBRARY_FRAGMENT(sweep, library) {
  library.def(
      "sign_step(Tensor(a!) images, Tensor direction, Tensor lower, Tensor upper, float alpha) -> "
      "()");
}

using SignStep = void(at::Tensor&, const at::Tensor&, const at::Tensor&, const at::Tensor&, double);

}  // namespace

void EpsilonBall::step(at::Tensor& images, const at::Tensor& direction, double alpha) const {
  static const DeviceOperator<SignStep> fused("sweep::sign_step");
  const bool suits = images.scalar_type() == at::kFloat && images.is_non_overlapping_and_dense() &&
                     direction.strides() == images.strides() &&
                     lower_.strides() == images.strides();
  if (suits && fused.serves(images)) return fused(images, direction, lower_, upper_, alpha);
  images.add_(direction.sign(), alpha).clamp_(lower_, upper_);
}

}  // namespace sweep::attacks
