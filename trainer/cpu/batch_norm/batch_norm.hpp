#pragma once

#include <ATen/core/Tensor.h>

namespace sweep::trainer::cpu {

/// Batch normalisation in training mode on the CPU, with a shortcut and ReLU behind it, in as few
/// passes over memory as there can be: one for the statistics, one for the result, two for the
/// gradients. Between two passes what they have summed up may be added to other processes'.
///
/// Images are [N,C,H,W] in channels-last, all of float32 or all of bfloat16; what belongs to
/// channels is [C]. Sums are added up in an order that follows from shapes alone: equal bits with
/// every number of threads.

/// Whether the processor has the instructions, and these tensors are of the kind.
bool suits_batch_norm(const at::Tensor& x, const at::Tensor& residual);

/// Float64, of each channel.
struct ChannelMoments {
  at::Tensor mean, squares;  ///< squares: the sum of squared deviations from the mean
};
ChannelMoments channel_moments(const at::Tensor& x);

/// How each channel is normalised, float32: to scale (x - mean) + bias.
struct ChannelScaling {
  at::Tensor mean, scale, bias;
};

/// scale (x - mean) + bias [+ residual], with `relu` at least 0. @param residual  like x, or
/// undefined
at::Tensor normalize(const at::Tensor& x, const at::Tensor& residual, const ChannelScaling& scaling,
                     bool relu);

/// The way back, whose steps follow one another.
class NormGradient {
 public:
  /// @param gradient  of normalize()'s result y, like x
  /// @param y  where there was a residual and ReLU; else undefined
  NormGradient(at::Tensor gradient, at::Tensor x, at::Tensor y, ChannelScaling scaling, bool relu);

  /// Float64, of each channel, over its images: the sums of g and of g (x - mean), where g is what
  /// ReLU lets through of the gradient.
  struct Sums {
    at::Tensor gradient, with_x;
  };
  Sums sums();

  /// scale (g - constant - (x - mean) of_x), behind sums(). @param constant, of_x  float32
  at::Tensor to_x(const at::Tensor& constant, const at::Tensor& of_x) const;

  /// g, where y is defined, behind sums().
  const at::Tensor& to_residual() const { return to_residual_; }

 private:
  at::Tensor gradient_, x_, y_;
  ChannelScaling scaling_;
  bool relu_;
  at::Tensor to_residual_;
};

}  // namespace sweep::trainer::cpu
