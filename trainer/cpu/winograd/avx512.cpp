#define SWEEP_LANES 16
#include "trainer/cpu/winograd/stages.hpp"

namespace sweep::trainer::winograd {

const Kernels* avx512_kernels(int size) {
  return size == 2 ? &Stages<Transform<2>>::kKernels : &Stages<Transform<4>>::kKernels;
}

}  // namespace sweep::trainer::winograd
