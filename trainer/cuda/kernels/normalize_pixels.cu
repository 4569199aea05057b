#include "trainer/cuda/kernels/kernels.hpp"
#include "trainer/cuda/kernels/pack.hpp"

namespace sweep::cuda {
namespace {

/// A multiple of 3: the packs of a thread then begin with one and the same channel.
constexpr int kPixelThreads = 192;

struct Factors {
  float mean[3], deviation[3];
};

/// From the channel of element `first` on.
__device__ __forceinline__ Factors load_factors(std::int64_t first, const float* mean,
                                                const float* deviation) {
  Factors factors;
  for (int i = 0; i < 3; ++i) {
    const int channel = static_cast<int>((first + i) % 3);
    factors.mean[i] = mean ? mean[channel] : 0;
    factors.deviation[i] = deviation[channel];
  }
  return factors;
}

/// `kForward`: to = (from - mean) / deviation, else to = from / deviation. Packs by all threads,
/// what is left behind the last one by the first threads.
template <bool kForward, class From, class To>
__global__ void __launch_bounds__(kPixelThreads, 6)
    normalize(std::int64_t count, const From* __restrict__ from, const float* __restrict__ mean,
              const float* __restrict__ deviation, To* __restrict__ to) {
  constexpr int kCount = kPack < From >> kPack<To> ? kPack<From> : kPack<To>;
  const std::int64_t packs = count / kCount;
  const std::int64_t thread = thread_number();
  const Factors factors = load_factors(thread * kCount, mean, deviation);
  for (std::int64_t pack = thread; pack < packs; pack += number_of_threads()) {
    auto values = load<kCount>(from + pack * kCount);
    for (int i = 0; i < kCount; ++i) {
      if constexpr (kForward) values.at[i] -= factors.mean[i % 3];
      values.at[i] /= factors.deviation[i % 3];
    }
    store(values, to + pack * kCount);
  }
  const std::int64_t at = packs * kCount + thread;
  if (at >= count) return;
  const Factors of_one = load_factors(at, mean, deviation);
  float value = load_one(from + at);
  if constexpr (kForward) value -= of_one.mean[0];
  store_one(value / of_one.deviation[0], to + at);
}

template <bool kForward, class From, class To>
void run(std::int64_t pixels, const From* from, const float* mean, const float* deviation, To* to,
         Stream stream) {
  const std::int64_t count = 3 * pixels;
  if (count == 0) return;
  const unsigned blocks = blocks_for(count, 2 * kPixelThreads * kPack<BFloat16>);
  SWEEP_LAUNCH((normalize<kForward, From, To>), blocks, kPixelThreads, stream, count, from, mean,
               deviation, to);
}

}  // namespace

void normalize_pixels(std::int64_t pixels, const float* x, const float* mean,
                      const float* deviation, Real type, void* y, Stream stream) {
  if (type == Real::float32)
    run<true>(pixels, x, mean, deviation, static_cast<float*>(y), stream);
  else
    run<true>(pixels, x, mean, deviation, static_cast<BFloat16*>(y), stream);
}

void normalize_pixels_gradient(std::int64_t pixels, Real type, const void* gradient,
                               const float* deviation, float* to_x, Stream stream) {
  if (type == Real::float32)
    run<false>(pixels, static_cast<const float*>(gradient), nullptr, deviation, to_x, stream);
  else
    run<false>(pixels, static_cast<const BFloat16*>(gradient), nullptr, deviation, to_x, stream);
}

}  // namespace sweep::cuda
