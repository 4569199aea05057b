#include "trainer/cpu/instruction_sets.hpp"

#include <ATen/Version.h>

#include <string>

namespace sweep::trainer::cpu {

InstructionSet instruction_set() {
#if defined(__x86_64__)
  static const std::string name = at::get_cpu_capability();
  if (name == "AVX512") return InstructionSet::avx512;
  if (name == "AVX2") return InstructionSet::avx2;
#endif
  return InstructionSet::none;
}

bool multiplies_bf16_matrices() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("amx-bf16") != 0;
#else
  return false;
#endif
}

}  // namespace sweep::trainer::cpu
