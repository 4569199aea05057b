#include "trainer/cpu/instruction_sets.hpp"

#include "trainer/cpu/winograd/kernels.hpp"

namespace sweep::trainer::winograd {

const Kernels* kernels_for([[maybe_unused]] int size) {
#if defined(__x86_64__)
  if (cpu::instruction_set() == cpu::InstructionSet::avx512) return avx512_kernels(size);
  if (cpu::instruction_set() == cpu::InstructionSet::avx2) return avx2_kernels(size);
#endif
  return nullptr;
}

}  // namespace sweep::trainer::winograd
