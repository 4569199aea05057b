#define SWEEP_LANES 16
#include "trainer/cpu/batch_norm/steps.hpp"

namespace sweep::trainer::cpu {

const NormKernels* avx512_norm_kernels() {
  return &kNormKernels;
}

}  // namespace sweep::trainer::cpu
