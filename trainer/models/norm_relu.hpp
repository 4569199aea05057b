#pragma once

#include "trainer/parallel/batch_norm.hpp"

namespace sweep::trainer {

/// max(norm(x) + residual, 0), for `x` [N,C,H,W] and a residual like it or none: what most layers
/// end with. In one pass over memory each way where the device has a kernel for it
/// (attacks/device_operator.hpp): in training on statistics of this process's batch, and where the
/// normalisation is folded into the convolution. May write to x.
at::Tensor norm_relu(BatchNorm2dImpl& norm, const at::Tensor& x, const at::Tensor& residual = {});

/// Whether the bias that folding leaves should be added here, and not by the convolution: for
/// tensors like `weight` there is a kernel that adds it in passing.
bool adds_folded_bias(const at::Tensor& weight);

}  // namespace sweep::trainer
