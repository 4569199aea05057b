#pragma once

#include <torch/nn/modules/conv.h>

#include <optional>

namespace sweep::trainer {

/// torch::nn::Conv2d that on CPUs takes the fastest of several ways: Winograd's algorithm for 3x3
/// kernels in channels-last, otherwise the memory order that LibTorch is faster with.
/// All compute the same sums with other roundings. Which way is taken follows from shapes and the
/// processor alone: an image has the same bits in every batch.
class Conv2dImpl : public torch::nn::Conv2dImpl {
 public:
  using torch::nn::Conv2dImpl::Conv2dImpl;

  /// `x` [N,C,H,W] in channels-last or contiguous; the result is like it.
  at::Tensor forward(const at::Tensor& x);

  /// Whether the weights should be contiguous on a CPU, and not channels-last: oneDNN's kernels for
  /// channels-last take rows of an image one by one, which wide convolutions on images of a few
  /// pixels spend most of their time with.
  bool is_wide() const;
};
TORCH_MODULE(Conv2d);

/// A convolution with 3x3 kernels, stride 1 and a border of one pixel, and its gradients, by
/// Winograd's algorithm (trainer/cpu/winograd/convolution.hpp, which says for what tensors).
/// @param directly  only the gradient of weights is; LibTorch computes the rest, in the type of `x`
at::Tensor winograd_convolution(const at::Tensor& x, const at::Tensor& weight,
                                const std::optional<at::Tensor>& bias, bool directly);

/// The gradient [N,C,height,width] of a convolution's input, from that of its output: the
/// transposed convolution as one convolution for each pixel of a stride x stride cell, all in one,
/// whose results are put side by side. For inputs of a few channels, such as images: the kernels
/// for gradients compute with 16 where there are 3.
/// @param weight  [K,C,h,w], square stride and padding, no dilation, one group
at::Tensor gradient_of_few_channels(const at::Tensor& gradient, const at::Tensor& weight,
                                    std::int64_t stride, std::int64_t padding, std::int64_t height,
                                    std::int64_t width);

}  // namespace sweep::trainer
