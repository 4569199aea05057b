#include "trainer/cpu/batch_norm/kernels.hpp"

#include "trainer/cpu/instruction_sets.hpp"

namespace sweep::trainer::cpu {

const NormKernels* norm_kernels() {
#if defined(__x86_64__)
  if (instruction_set() == InstructionSet::avx512) return avx512_norm_kernels();
  if (instruction_set() == InstructionSet::avx2) return avx2_norm_kernels();
#endif
  return nullptr;
}

}  // namespace sweep::trainer::cpu
