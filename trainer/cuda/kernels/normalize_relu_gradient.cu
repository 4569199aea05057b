#include "trainer/cuda/kernels/column_sums.hpp"
#include "trainer/cuda/kernels/normalize_relu.hpp"

namespace sweep::cuda {
namespace {

/// Where a kernel knows from what ReLU has cut.
enum class Cut {
  recomputed,  ///< from x
  read,        ///< from y
  applied,     ///< the gradient is that before ReLU already
};

/// The gradient before ReLU.
template <Cut kCut, class T, int kCount>
__device__ __forceinline__ Values<kCount> cut(Values<kCount> gradient, const Values<kCount>& x,
                                              const T* y, std::int64_t at,
                                              const Normalization<kCount>& of) {
  if constexpr (kCut == Cut::recomputed)
    for (int i = 0; i < kCount; ++i)
      gradient.at[i] = relu_gradient(gradient.at[i], normalized(x.at[i], of, i));
  if constexpr (kCut == Cut::read) {
    const auto behind = load<kCount>(y + at);
    for (int i = 0; i < kCount; ++i) gradient.at[i] = relu_gradient(gradient.at[i], behind.at[i]);
  }
  return gradient;
}

template <class T>
struct Inputs {
  std::int64_t rows;
  int channels;
  const T *gradient, *x, *y;
  const float *weight, *bias, *mean, *inverse_deviation;
};

/// Sums of the gradient before ReLU and of it times x - mean.
template <class T, Cut kCut>
__global__ void __launch_bounds__(kSumThreads, kSumBlocksOfMultiprocessor)
    sum_gradients(const Inputs<T> in, T* __restrict__ to_residual, float* __restrict__ block_sums) {
  constexpr int kCount = kPack<T>;
  const int channel = first_channel(kCount);
  float sums[2 * kCount] = {};
  if (channel < in.channels) {
    const auto of =
        load_normalization<kCount>(channel, in.weight, in.bias, in.mean, in.inverse_deviation);
    SWEEP_UNROLL(1)  // more does not fit into the registers
    for (std::int64_t row = first_row(); row < in.rows; row += row_stride()) {
      const std::int64_t at = row * in.channels + channel;
      const auto x = load<kCount>(in.x + at);
      const auto gradient = cut<kCut>(load<kCount>(in.gradient + at), x, in.y, at, of);
      for (int i = 0; i < kCount; ++i) {
        sums[i] += gradient.at[i];
        sums[kCount + i] = fmaf(gradient.at[i], x.at[i] - of.mean.at[i], sums[kCount + i]);
      }
      if constexpr (kCut == Cut::read)
        if (to_residual) store(gradient, to_residual + at);
    }
  }
  store_block_sums<kCount>(sums, in.channels, block_sums);
}

/// factors [2,channels]: the mean of the gradient before ReLU, and its slope over x - mean.
__global__ void __launch_bounds__(kFinishThreads)
    finish_gradients(std::int64_t rows, int channels, int blocks,
                     const float* __restrict__ block_sums,
                     const float* __restrict__ inverse_deviation, float* __restrict__ to_weight,
                     float* __restrict__ to_bias, float* __restrict__ factors) {
  const Sums sums = add_block_sums(blocks, channels, block_sums);
  if (threadIdx.y != 0) return;
  const int channel = first_channel(1);
  const double factor = inverse_deviation[channel];
  const double count = static_cast<double>(rows);
  to_weight[channel] = static_cast<float>(sums.second * factor);
  to_bias[channel] = static_cast<float>(sums.first);
  factors[channel] = static_cast<float>(sums.first / count);
  factors[channels + channel] = static_cast<float>(sums.second * factor * factor / count);
}

template <class T, Cut kCut>
__global__ void __launch_bounds__(kThreads)
    apply_gradient(const Inputs<T> in, const float* __restrict__ factors, T* __restrict__ to_x) {
  constexpr int kCount = kPack<T>;
  const int channel = first_channel(kCount);
  if (channel >= in.channels) return;
  const auto of =
      load_normalization<kCount>(channel, in.weight, in.bias, in.mean, in.inverse_deviation);
  const auto mean = load<kCount>(factors + channel);
  const auto slope = load<kCount>(factors + in.channels + channel);
  for (std::int64_t row = first_row(); row < in.rows; row += row_stride()) {
    const std::int64_t at = row * in.channels + channel;
    const auto x = load<kCount>(in.x + at);
    auto values = cut<kCut>(load<kCount>(in.gradient + at), x, in.y, at, of);
    for (int i = 0; i < kCount; ++i) {
      const float centred = values.at[i] - mean.at[i];
      values.at[i] = of.scale.at[i] * fmaf(of.mean.at[i] - x.at[i], slope.at[i], centred);
    }
    store(values, to_x + at);
  }
}

template <class T, Cut kCut>
void run_apply(const Inputs<T>& in, const Pixels& pixels, const float* factors, void* to_x,
               Stream stream) {
  const Columns over = columns(pixels, kPack<T>, kThreads, 4, kMaxBlocks);
  SWEEP_LAUNCH((apply_gradient<T, kCut>), over.grid, over.block, stream, in, factors,
               static_cast<T*>(to_x));
}

template <class T>
void run(const NormalizeReluGradient& a, Stream stream) {
  Inputs<T> in{a.pixels.rows,
               static_cast<int>(a.pixels.channels),
               static_cast<const T*>(a.gradient),
               static_cast<const T*>(a.x),
               static_cast<const T*>(a.y),
               a.weight,
               a.bias,
               a.mean,
               a.inverse_deviation};
  float* factors = static_cast<float*>(a.workspace);
  float* block_sums = factors + 2 * a.pixels.channels;
  T* to_residual = static_cast<T*>(a.to_residual);
  const Columns over = sum_columns(a.pixels, kPack<T>);
  if (a.y)
    SWEEP_LAUNCH((sum_gradients<T, Cut::read>), over.grid, over.block, stream, in, to_residual,
                 block_sums);
  else
    SWEEP_LAUNCH((sum_gradients<T, Cut::recomputed>), over.grid, over.block, stream, in,
                 to_residual, block_sums);
  const Columns finish = finish_columns(a.pixels.channels);
  SWEEP_LAUNCH(finish_gradients, finish.grid, finish.block, stream, in.rows, in.channels,
               static_cast<int>(over.grid.x), block_sums, a.inverse_deviation, a.to_weight,
               a.to_bias, factors);
  if (to_residual) {  // one array less to read
    in.gradient = to_residual;
    run_apply<T, Cut::applied>(in, a.pixels, factors, a.to_x, stream);
  } else if (a.y) {
    run_apply<T, Cut::read>(in, a.pixels, factors, a.to_x, stream);
  } else {
    run_apply<T, Cut::recomputed>(in, a.pixels, factors, a.to_x, stream);
  }
}

}  // namespace

void normalize_relu_gradient(const NormalizeReluGradient& arguments, Stream stream) {
  if (arguments.pixels.rows == 0) return;
  if (arguments.type == Real::float32)
    run<float>(arguments, stream);
  else
    run<BFloat16>(arguments, stream);
}

}  // namespace sweep::cuda
