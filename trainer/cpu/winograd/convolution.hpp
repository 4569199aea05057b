#pragma once

namespace at {
class Tensor;
}

namespace sweep::trainer::winograd {

/// 3x3 convolutions with stride 1 and a border of one pixel on the CPU, by Winograd's algorithm in
/// float32: 2.25 products for each result and input channel where 9 are written down, or 4 on
/// images of two pixels. Sums are rounded differently from those of the direct way, with an error
/// of some 1e-6 of the results (tests/trainer/cpu). An image has the same bits in every batch and
/// with every number of threads.
///
/// Tensors are channels-last: `x` [N,C,H,W], `gradient` [N,K,H,W] of the result, both of float32 or
/// both of bfloat16, as is what is computed for images then; `weight` [K,C,3,3], always float32,
/// may be contiguous, too.

/// Whether the processor has the instructions and this convolution gains by it.
bool suits(const at::Tensor& x, const at::Tensor& weight);

/// @param bias  [K] or undefined
at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

/// Of the input.
at::Tensor input_gradient(const at::Tensor& gradient, const at::Tensor& weight);

/// In the memory order of `weight`.
at::Tensor weight_gradient(const at::Tensor& gradient, const at::Tensor& x,
                           const at::Tensor& weight);

}  // namespace sweep::trainer::winograd
