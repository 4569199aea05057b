// Vectors of float32, read from and written to memory as float32 or bfloat16. Compiled once for
// each instruction set, with SWEEP_LANES: everything is in an anonymous namespace, and no function
// of a library is called, which a linker might take from here for processors without these
// instructions.
#pragma once

#include <cstdint>

#include "trainer/cpu/bf16.hpp"

namespace {

using sweep::trainer::cpu::Bf16;

using Index = std::int64_t;
constexpr Index kLanes = SWEEP_LANES;

using Vector [[gnu::vector_size(sizeof(float) * SWEEP_LANES)]] = float;
using InMemory [[gnu::vector_size(sizeof(float) * SWEEP_LANES), gnu::aligned(4), gnu::may_alias]] =
    float;

inline Vector load(const float* from) {
  return *reinterpret_cast<const InMemory*>(from);
}
inline void store(float* to, Vector value) {
  *reinterpret_cast<InMemory*>(to) = value;
}

using Words [[gnu::vector_size(sizeof(float) * SWEEP_LANES)]] = std::uint32_t;
using Halves [[gnu::vector_size(sizeof(Bf16) * SWEEP_LANES)]] = std::uint16_t;
using HalvesInMemory
    [[gnu::vector_size(sizeof(Bf16) * SWEEP_LANES), gnu::aligned(2), gnu::may_alias]] =
        std::uint16_t;

inline Vector load(const Bf16* from) {
  const Halves bits = *reinterpret_cast<const HalvesInMemory*>(from);
  return reinterpret_cast<Vector>(__builtin_convertvector(bits, Words) << 16);
}
inline void store(Bf16* to, Vector value) {
  const auto bits = reinterpret_cast<Words>(value);
  const Words rounded = bits + (0x7fff + (bits >> 16 & 1));
  const Words not_a_number = 0x7fc00000 + Words{};  // rounding might make it infinite
  const Words nearest = value == value ? rounded : not_a_number;
  *reinterpret_cast<HalvesInMemory*>(to) = __builtin_convertvector(nearest >> 16, Halves);
}

}  // namespace
