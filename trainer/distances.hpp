#pragma once

namespace at {
class Tensor;
}

namespace sweep::trainer {

/// ||a_i - b_i||_2 of every i: [N], for `a` and `b` [N,...] of one shape. The gradient where both
/// are equal is 0. In one pass over memory each way where the device has a kernel for it.
at::Tensor distances(const at::Tensor& a, const at::Tensor& b);

}  // namespace sweep::trainer
