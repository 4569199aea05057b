#include "trainer/cpu/winograd/instruction_sets.hpp"

#include <ATen/Version.h>

#include <string>

namespace sweep::trainer::winograd {

const Kernels* kernels_for([[maybe_unused]] int size) {
#if defined(__x86_64__)
  static const std::string instructions = at::get_cpu_capability();
  if (instructions == "AVX512") return avx512_kernels(size);
  if (instructions == "AVX2") return avx2_kernels(size);
#endif
  return nullptr;
}

}  // namespace sweep::trainer::winograd
