#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/cpu/bf16.hpp"

namespace sweep::trainer::cpu {

/// Calls f with a number of the type of the images: of float32, or a Bf16 of bfloat16.
template <typename F>
auto with_pixel_type(const at::Tensor& images, F f) {
  return images.scalar_type() == at::kBFloat16 ? f(Bf16{}) : f(float{});
}

}  // namespace sweep::trainer::cpu
