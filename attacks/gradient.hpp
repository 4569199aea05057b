#pragma once

#include <ATen/core/Tensor.h>

#include "attacks/goal.hpp"
#include "attacks/white_box.hpp"

namespace sweep::attacks {

/// The gradient of the cross-entropy with respect to the images [N,3,H,W], summed over the batch,
/// so that an image's does not depend on how many others are with it; and whether all logits are
/// finite, [] bool.
struct CrossEntropyGradient {
  at::Tensor gradient, finite;
};
CrossEntropyGradient cross_entropy_gradient(const Logits& logits, const at::Tensor& images,
                                            const at::Tensor& classes);

/// Where an attack has to go: cross_entropy_gradient(), and its opposite for a targeted goal.
/// @throws Error{not_finite} when the model's logits are NaN or infinite.
at::Tensor loss_gradient(const Logits& logits, const at::Tensor& images, const Goal& goal);

/// Whether the predicted class, the first of the largest logits, is what the goal asks for: [N].
at::Tensor is_reached(const at::Tensor& logits, const Goal& goal);

/// Whether all are: [] bool.
at::Tensor are_finite(const at::Tensor& logits);

/// @param finite  of are_finite()
/// @throws Error{not_finite} when it is false
void require_finite(const at::Tensor& finite);

}  // namespace sweep::attacks
