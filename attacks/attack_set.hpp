#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>

#include "attacks/attack.hpp"

namespace sweep::attacks {

/// Adversarial images of a set, and what they were to do.
struct AttackedSet {
  at::Tensor images;   ///< [N,3,H,W], on the CPU
  at::Tensor classes;  ///< [N] int64, on the CPU: to be left, or to be reached
  bool targeted = false;
};

/// The images of a set that are attacked, and how they are cut.
struct ImagesToAttack {
  /// Images [count,3,H,W] from number `first` on, as the model takes them.
  std::function<at::Tensor(std::int64_t first, std::int64_t count)> batch;
  at::Tensor labels;             ///< [N] int64, the true ones
  std::int64_t first_image = 0;  ///< place of the first one in the set that these are a part of
  std::int64_t batch_size = 64;
};

/// Attacks all images in batches.
/// @param method   name in the registry
/// @param options  resolved: the method's and those of its goal
/// @param after_step  see StepCallback; the fraction is that of all batches
AttackedSet attack_set(const std::string& method, const Json& options, const Logits& logits,
                       const ImagesToAttack& images, const StepCallback& after_step);

}  // namespace sweep::attacks
