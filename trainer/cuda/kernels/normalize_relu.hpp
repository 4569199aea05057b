#pragma once

#include <cmath>

#include "trainer/cuda/kernels/columns.hpp"

/// What normalize_relu and its gradient share.
namespace sweep::cuda {

/// Of the channels of a thread.
template <int kCount>
struct Normalization {
  Values<kCount> mean, scale, bias;
};

template <int kCount>
__device__ __forceinline__ Normalization<kCount> load_normalization(
    int channel, const float* weight, const float* bias, const float* mean,
    const float* inverse_deviation) {
  Normalization<kCount> of{load<kCount>(mean + channel), load<kCount>(weight + channel),
                           load<kCount>(bias + channel)};
  const auto factor = load<kCount>(inverse_deviation + channel);
  for (int i = 0; i < kCount; ++i) of.scale.at[i] *= factor.at[i];
  return of;
}

/// What ReLU gets without a residual. The gradient finds its sign again from x, so both must round
/// alike: with fmaf the compiler has no choice.
template <int kCount>
__device__ __forceinline__ float normalized(float x, const Normalization<kCount>& of, int i) {
  return fmaf(x - of.mean.at[i], of.scale.at[i], of.bias.at[i]);
}

}  // namespace sweep::cuda
