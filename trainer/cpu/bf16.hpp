#pragma once

#include <cstdint>

namespace sweep::trainer::cpu {

/// The bits of a bfloat16, which are the upper half of a float32's.
enum class Bf16 : std::uint16_t {};

}  // namespace sweep::trainer::cpu
