#include "trainer/cpu/winograd/instruction_sets.hpp"

#include <ATen/Version.h>

#include <string>

#include "trainer/cpu/winograd/convolution.hpp"

namespace sweep::trainer::winograd {

const Kernels* kernels_for([[maybe_unused]] int size) {
#if defined(__x86_64__)
  static const std::string instructions = at::get_cpu_capability();
  if (instructions == "AVX512") return avx512_kernels(size);
  if (instructions == "AVX2") return avx2_kernels(size);
#endif
  return nullptr;
}

bool multiplies_bf16_matrices() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("amx-bf16") != 0;
#else
  return false;
#endif
}

}  // namespace sweep::trainer::winograd
