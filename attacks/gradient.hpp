#pragma once

#include "attacks/attack.hpp"

namespace sweep::attacks {

/// Gradient of the cross-entropy with respect to the images, [N,3,H,W]. The loss is summed over the
/// batch, so that an image's gradient does not depend on how many others are with it.
/// @throws Error{not_finite} when the model's logits are NaN or infinite.
at::Tensor loss_gradient(const Logits& logits, const at::Tensor& images, const at::Tensor& labels);

/// @throws Error{not_finite} when any logit is NaN or infinite.
void check_finite(const at::Tensor& logits);

}  // namespace sweep::attacks
