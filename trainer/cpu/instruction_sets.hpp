#pragma once

namespace sweep::trainer::cpu {

/// Those that there are kernels for.
enum class InstructionSet {
  none,
  avx2,    ///< and FMA: vectors of 8 floats
  avx512,  ///< F and DQ: vectors of 16
};

/// The one that LibTorch uses: the best of the processor, or what the environment variable
/// ATEN_CPU_CAPABILITY says.
InstructionSet instruction_set();

/// Whether the processor has units for products of matrices of bfloat16 (AMX), many times as fast
/// as its vectors: LibTorch's direct way in bfloat16, which uses them, is then taken to be the
/// faster one, but for the gradient of weights.
bool multiplies_bf16_matrices();

}  // namespace sweep::trainer::cpu
