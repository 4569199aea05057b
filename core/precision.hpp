#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sweep {

/// In what convolutions and matrix products compute. Parameters, their gradients, optimizers, batch
/// normalisation's statistics and losses are float32 in any case.
enum class Precision : std::uint8_t {
  float32,
  tf32,  ///< factors have 10 bits of mantissa, sums are float32; CUDA alone has it
  bf16,  ///< factors and results are bfloat16 (7 bits of mantissa), sums are float32
};

/// "float32", "tf32", "bf16", in the order of the enumeration.
const std::vector<std::string>& precision_names();

/// @throws InputError for another name
Precision precision_from(const std::string& name);

}  // namespace sweep
