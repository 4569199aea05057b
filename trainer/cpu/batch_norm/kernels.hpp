#pragma once

#include <cstdint>

#include "trainer/cpu/bf16.hpp"

namespace sweep::trainer::cpu {

/// Channels [first, end), whose numbers are multiples of the lanes, of some rows. A row holds the
/// channels of one pixel.
struct Block {
  std::int64_t rows;
  std::int64_t first, end;
};

/// What the steps know of each channel: [channels].
struct ChannelConstants {
  const float *mean, *scale, *bias;  ///< normalised is scale (x - mean) + bias
};

/// The forward pass of some rows.
template <typename Pixel>
struct NormRows {
  const Pixel *x, *residual;  ///< residual: null for none
  std::int64_t rows, channels;
  ChannelConstants of;
  bool relu;
  Pixel* y;
};

/// The backward pass of some rows. Where ReLU has cut is read from y where there was a residual,
/// and computed again from x where y is null.
template <typename Pixel>
struct NormGradientRows {
  const Pixel *gradient, *x, *y;
  std::int64_t channels;
  ChannelConstants of;
  bool relu;
  Pixel* to_residual;  ///< what ReLU lets through; null: not wanted
};

/// The steps of batch normalisation with a shortcut and ReLU behind it, on one instruction set, of
/// images of float32 or bfloat16, which they compute on in float32. A result in bfloat16 is the
/// nearest one, or the even one of two that are as near.
template <typename Pixel>
struct NormSteps {
  /// Of each channel of the block: the mean and the sum of squared deviations from it.
  void (*statistics)(const Pixel* x, std::int64_t channels, const Block&, double* mean,
                     double* squares);
  /// y = max(scale (x - mean) + bias + residual, 0)
  void (*normalize)(const NormRows<Pixel>&);
  /// Of each channel of the block: the sums of g and of g (x - mean), where g is what ReLU lets
  /// through of the gradient.
  void (*gradient_sums)(const NormGradientRows<Pixel>&, const Block&, double* sum,
                        double* sum_with_x);
  /// to_x = scale (g - a - (x - mean) b). What gradient_sums has written to to_residual is the
  /// gradient here, with neither ReLU nor y.
  void (*gradient)(const NormGradientRows<Pixel>&, std::int64_t rows, const float* a,
                   const float* b, Pixel* to_x);
};

struct NormKernels {
  int lanes;          ///< numbers of channels are multiples of it
  int block_columns;  ///< channels that fit into registers: a multiple of lanes
  ForPixels<NormSteps> pixels;
};

/// Null where there are none for the instruction set.
const NormKernels* norm_kernels();
const NormKernels* avx2_norm_kernels();
const NormKernels* avx512_norm_kernels();

}  // namespace sweep::trainer::cpu
