#pragma once

#include <torch/nn/modules/linear.h>

namespace sweep::trainer {

/// torch::nn::Linear that on CPUs, in evaluation mode, multiplies 64 rows at a time: libraries
/// choose kernels, and with them the order of sums, by the number of rows. So a row has the same
/// bits in every batch.
class LinearImpl : public torch::nn::LinearImpl {
 public:
  using torch::nn::LinearImpl::LinearImpl;

  /// `x` [N,in] -> [N,out]
  at::Tensor forward(const at::Tensor& x);
};
TORCH_MODULE(Linear);

}  // namespace sweep::trainer
