#include "trainer/cuda/kernels/kernels.hpp"
#include "trainer/cuda/kernels/pack.hpp"

namespace sweep::cuda {
namespace {

/// Comparisons in place of fminf and fmaxf: a NaN in x stays.
__device__ __forceinline__ float stepped(float x, float gradient, float lower, float upper,
                                         float alpha) {
  const float sign = static_cast<float>((gradient > 0) - (gradient < 0));
  const float moved = fmaf(alpha, sign, x);
  const float raised = moved < lower ? lower : moved;
  return raised > upper ? upper : raised;
}

template <int kCount>
__device__ __forceinline__ void step(std::int64_t at, const float* gradient, const float* lower,
                                     const float* upper, float alpha, float* x) {
  auto values = load<kCount>(x + at);
  const auto slopes = load<kCount>(gradient + at);
  const auto least = load<kCount>(lower + at);
  const auto most = load<kCount>(upper + at);
  for (int i = 0; i < kCount; ++i)
    values.at[i] = stepped(values.at[i], slopes.at[i], least.at[i], most.at[i], alpha);
  store(values, x + at);
}

/// Packs by all threads, what is left behind the last one by the first threads.
__global__ void __launch_bounds__(kThreads)
    steps(std::int64_t count, const float* __restrict__ gradient, const float* __restrict__ lower,
          const float* __restrict__ upper, float alpha, float* __restrict__ x) {
  constexpr int kCount = kPack<float>;
  const std::int64_t packs = count / kCount;
  const std::int64_t thread = thread_number();
  for (std::int64_t pack = thread; pack < packs; pack += number_of_threads())
    step<kCount>(pack * kCount, gradient, lower, upper, alpha, x);
  const std::int64_t at = packs * kCount + thread;
  if (at < count) step<1>(at, gradient, lower, upper, alpha, x);
}

}  // namespace

void sign_step(std::int64_t count, const float* gradient, const float* lower, const float* upper,
               float alpha, float* x, Stream stream) {
  if (count == 0) return;
  SWEEP_LAUNCH(steps, blocks_for(count, 2 * kThreads * kPack<float>), kThreads, stream, count,
               gradient, lower, upper, alpha, x);
}

}  // namespace sweep::cuda
