#pragma once

#include "trainer/cpu/winograd/kernels.hpp"

namespace sweep::trainer::winograd {

/// AVX2 and FMA, vectors of 8.
const Kernels* avx2_kernels(int size);
/// AVX-512F, vectors of 16.
const Kernels* avx512_kernels(int size);

}  // namespace sweep::trainer::winograd
