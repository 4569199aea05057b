#pragma once

#include "attacks/attack.hpp"
#include "attacks/goal.hpp"

namespace sweep::attacks {

/// Where an attack has to go: the gradient of the cross-entropy with respect to the images
/// [N,3,H,W], and its opposite for a targeted goal. The loss is summed over the batch, so that an
/// image's gradient does not depend on how many others are with it.
/// @throws Error{not_finite} when the model's logits are NaN or infinite.
at::Tensor loss_gradient(const Logits& logits, const at::Tensor& images, const Goal& goal);

/// Whether the predicted class, the first of the largest logits, is what the goal asks for: [N].
at::Tensor is_reached(const at::Tensor& logits, const Goal& goal);

/// @throws Error{not_finite} when any logit is NaN or infinite.
void check_finite(const at::Tensor& logits);

}  // namespace sweep::attacks
