#include "trainer/cuda/kernels/columns.hpp"

namespace sweep::cuda {
namespace {

/// y may be x: no pointer is __restrict__.
template <class T, bool kResidual>
__global__ void __launch_bounds__(kThreads)
    add_bias_relu(std::int64_t rows, int channels, const T* x, const float* bias, const T* residual,
                  T* y) {
  constexpr int kCount = kPack<T>;
  const int channel = first_channel(kCount);
  if (channel >= channels) return;
  const auto add = load<kCount>(bias + channel);
  for (std::int64_t row = first_row(); row < rows; row += row_stride()) {
    const std::int64_t at = row * channels + channel;
    auto values = load<kCount>(x + at);
    for (int i = 0; i < kCount; ++i) values.at[i] += add.at[i];
    if constexpr (kResidual) {
      const auto shortcut = load<kCount>(residual + at);
      for (int i = 0; i < kCount; ++i) values.at[i] += shortcut.at[i];
    }
    for (int i = 0; i < kCount; ++i) values.at[i] = relu(values.at[i]);
    store(values, y + at);
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    relu_gradient_of_packs(std::int64_t packs, const T* gradient, const T* y, T* to) {
  constexpr int kCount = kPack<T>;
  for (std::int64_t pack = thread_number(); pack < packs; pack += number_of_threads()) {
    auto values = load<kCount>(gradient + pack * kCount);
    const auto behind = load<kCount>(y + pack * kCount);
    for (int i = 0; i < kCount; ++i) values.at[i] = relu_gradient(values.at[i], behind.at[i]);
    store(values, to + pack * kCount);
  }
}

template <class T>
void run_bias_relu(const Pixels& pixels, const void* x, const float* bias, const void* residual,
                   void* y, Stream stream) {
  const Columns over = columns(pixels, kPack<T>, kThreads, 4, kMaxBlocks);
  const int channels = static_cast<int>(pixels.channels);
  const T* from = static_cast<const T*>(x);
  const T* shortcut = static_cast<const T*>(residual);
  T* to = static_cast<T*>(y);
  if (residual)
    SWEEP_LAUNCH((add_bias_relu<T, true>), over.grid, over.block, stream, pixels.rows, channels,
                 from, bias, shortcut, to);
  else
    SWEEP_LAUNCH((add_bias_relu<T, false>), over.grid, over.block, stream, pixels.rows, channels,
                 from, bias, shortcut, to);
}

template <class T>
void run_relu_gradient(std::int64_t count, const void* gradient, const void* y, void* to,
                       Stream stream) {
  const std::int64_t packs = count / kPack<T>;
  SWEEP_LAUNCH(relu_gradient_of_packs<T>, blocks_for(packs, 2 * kThreads), kThreads, stream, packs,
               static_cast<const T*>(gradient), static_cast<const T*>(y), static_cast<T*>(to));
}

}  // namespace

void bias_relu(const Pixels& pixels, Real type, const void* x, const float* bias,
               const void* residual, void* y, Stream stream) {
  if (pixels.rows == 0) return;
  if (type == Real::float32)
    run_bias_relu<float>(pixels, x, bias, residual, y, stream);
  else
    run_bias_relu<BFloat16>(pixels, x, bias, residual, y, stream);
}

void relu_gradient(std::int64_t count, Real type, const void* gradient, const void* y, void* to,
                   Stream stream) {
  if (count == 0) return;
  if (type == Real::float32)
    run_relu_gradient<float>(count, gradient, y, to, stream);
  else
    run_relu_gradient<BFloat16>(count, gradient, y, to, stream);
}

}  // namespace sweep::cuda
