#pragma once

#include "trainer/parallel/batch_norm.hpp"

namespace sweep::trainer {

/// Whether cpu_batch_norm() is for `x` and `residual` (which may be undefined): in training mode,
/// on a CPU with the instructions that its kernels have, channels-last.
bool takes_cpu_batch_norm(const BatchNorm2dImpl& norm, const at::Tensor& x,
                          const at::Tensor& residual = {});

/// norm(x), with `relu` max(norm(x) + residual, 0), by trainer/cpu/batch_norm. Collective while
/// statistics are shared. A residual is for `relu` alone.
at::Tensor cpu_batch_norm(BatchNorm2dImpl& norm, const at::Tensor& x, const at::Tensor& residual,
                          bool relu);

}  // namespace sweep::trainer
