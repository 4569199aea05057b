#include "trainer/cuda/kernels/normalize_relu.hpp"

#include "trainer/cuda/kernels/column_sums.hpp"

namespace sweep::cuda {
namespace {

/// Sums of x - x[0] and of its square: near the mean the variance does not cancel.
template <class T>
__global__ void __launch_bounds__(kSumThreads, kSumBlocksOfMultiprocessor)
    sum_squares(std::int64_t rows, int channels, const T* __restrict__ x,
                float* __restrict__ block_sums) {
  constexpr int kCount = kPack<T>;
  const int channel = first_channel(kCount);
  float sums[2 * kCount] = {};
  if (channel < channels) {
    const auto shift = load<kCount>(x + channel);
    SWEEP_UNROLL(4)
    for (std::int64_t row = first_row(); row < rows; row += row_stride()) {
      const auto values = load<kCount>(x + row * channels + channel);
      for (int i = 0; i < kCount; ++i) {
        const float shifted = values.at[i] - shift.at[i];
        sums[i] += shifted;
        sums[kCount + i] = fmaf(shifted, shifted, sums[kCount + i]);
      }
    }
  }
  store_block_sums<kCount>(sums, channels, block_sums);
}

struct Statistics {
  double eps, momentum;
  float *mean, *inverse_deviation, *running_mean, *running_variance;
};

__device__ __forceinline__ void move_towards(double value, double momentum, float* running) {
  *running = static_cast<float>(*running + momentum * (value - *running));
}

template <class T>
__global__ void __launch_bounds__(kFinishThreads)
    finish_statistics(std::int64_t rows, int channels, int blocks, const T* __restrict__ x,
                      const float* __restrict__ block_sums, Statistics to) {
  const Sums sums = add_block_sums(blocks, channels, block_sums);
  if (threadIdx.y != 0) return;
  const int channel = first_channel(1);
  const double count = static_cast<double>(rows);
  const double shifted_mean = sums.first / count;
  const double mean = load_one(x + channel) + shifted_mean;
  const double difference = sums.second / count - shifted_mean * shifted_mean;
  const double variance = difference < 0 ? 0 : difference;  // NaN stays
  to.mean[channel] = static_cast<float>(mean);
  to.inverse_deviation[channel] = static_cast<float>(1 / sqrt(variance + to.eps));
  if (!to.running_mean) return;
  move_towards(mean, to.momentum, to.running_mean + channel);
  const double degrees = rows > 1 ? count - 1 : 1;
  move_towards(variance * count / degrees, to.momentum, to.running_variance + channel);
}

template <class T, bool kResidual>
__global__ void __launch_bounds__(kThreads)
    apply(std::int64_t rows, int channels, const T* __restrict__ x, const T* __restrict__ residual,
          const float* __restrict__ weight, const float* __restrict__ bias,
          const float* __restrict__ mean, const float* __restrict__ inverse_deviation,
          T* __restrict__ y) {
  constexpr int kCount = kPack<T>;
  const int channel = first_channel(kCount);
  if (channel >= channels) return;
  const auto of = load_normalization<kCount>(channel, weight, bias, mean, inverse_deviation);
  for (std::int64_t row = first_row(); row < rows; row += row_stride()) {
    const std::int64_t at = row * channels + channel;
    auto values = load<kCount>(x + at);
    for (int i = 0; i < kCount; ++i) values.at[i] = normalized(values.at[i], of, i);
    if constexpr (kResidual) {
      const auto shortcut = load<kCount>(residual + at);
      for (int i = 0; i < kCount; ++i) values.at[i] += shortcut.at[i];
    }
    for (int i = 0; i < kCount; ++i) values.at[i] = relu(values.at[i]);
    store(values, y + at);
  }
}

template <class T, bool kResidual>
void run_apply(const NormalizeRelu& a, Stream stream) {
  const Columns over = columns(a.pixels, kPack<T>, kThreads, 4, kMaxBlocks);
  SWEEP_LAUNCH((apply<T, kResidual>), over.grid, over.block, stream, a.pixels.rows,
               static_cast<int>(a.pixels.channels), static_cast<const T*>(a.x),
               static_cast<const T*>(a.residual), a.weight, a.bias, a.mean, a.inverse_deviation,
               static_cast<T*>(a.y));
}

template <class T>
void run(const NormalizeRelu& a, Stream stream) {
  const int channels = static_cast<int>(a.pixels.channels);
  const T* x = static_cast<const T*>(a.x);
  float* block_sums = static_cast<float*>(a.workspace);
  const Columns over = sum_columns(a.pixels, kPack<T>);
  SWEEP_LAUNCH(sum_squares<T>, over.grid, over.block, stream, a.pixels.rows, channels, x,
               block_sums);
  const Columns finish = finish_columns(channels);
  const Statistics to{a.eps,          a.momentum,        a.mean, a.inverse_deviation,
                      a.running_mean, a.running_variance};
  SWEEP_LAUNCH(finish_statistics<T>, finish.grid, finish.block, stream, a.pixels.rows, channels,
               static_cast<int>(over.grid.x), x, block_sums, to);
  if (a.residual)
    run_apply<T, true>(a, stream);
  else
    run_apply<T, false>(a, stream);
}

}  // namespace

std::size_t normalize_relu_workspace(const Pixels& pixels) {
  const unsigned blocks = std::max(sum_columns(pixels, kPack<float>).grid.x,
                                   sum_columns(pixels, kPack<BFloat16>).grid.x);
  // Two sums of each block, and two factors of the gradient.
  return (std::size_t{blocks} + 1) * 2 * static_cast<std::size_t>(pixels.channels) * sizeof(float);
}

void normalize_relu(const NormalizeRelu& arguments, Stream stream) {
  if (arguments.pixels.rows == 0) return;
  if (arguments.type == Real::float32)
    run<float>(arguments, stream);
  else
    run<BFloat16>(arguments, stream);
}

}  // namespace sweep::cuda
