#define SWEEP_LANES 8
#include "trainer/cpu/batch_norm/steps.hpp"

namespace sweep::trainer::cpu {

const NormKernels* avx2_norm_kernels() {
  return &kNormKernels;
}

}  // namespace sweep::trainer::cpu
