#pragma once

#include <cstdint>
#include <type_traits>

namespace sweep::trainer::cpu {

/// The bits of a bfloat16, which are the upper half of a float32's.
enum class Bf16 : std::uint16_t {};

/// What there is for images of float32 and for those of bfloat16.
template <template <typename Pixel> class Steps>
struct ForPixels {
  Steps<float> of_float32;
  Steps<Bf16> of_bf16;

  template <typename Pixel>
  const Steps<Pixel>& of() const {
    if constexpr (std::is_same_v<Pixel, Bf16>)
      return of_bf16;
    else
      return of_float32;
  }
};

}  // namespace sweep::trainer::cpu
