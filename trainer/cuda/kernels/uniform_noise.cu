#include "trainer/cuda/kernels/images.hpp"
#include "trainer/cuda/kernels/kernels.hpp"

namespace sweep::cuda {
namespace {

/// As in trainer/noise.cpp, of whose 64 bits the low ones are kept by every multiplication.
__device__ __forceinline__ std::uint32_t scramble(std::uint64_t number) {
  std::uint32_t h = static_cast<std::uint32_t>(number ^ number >> 16) * 0x21f0aaadu;
  h = (h ^ h >> 15) * 0x735a2d97u;
  return h ^ h >> 15;
}

/// U[-1, 1) in steps of 2^-23: exact.
__device__ __forceinline__ float uniform(std::uint64_t number, std::uint32_t low,
                                         std::uint32_t high) {
  const std::uint32_t h = scramble(scramble(number ^ low) ^ high);
  return fmaf(static_cast<float>(h >> 8), 0x1p-23f, -1.0f);
}

template <int kCount>
__global__ void __launch_bounds__(kThreads) add_noise(const UniformNoise a) {
  const std::uint32_t low = static_cast<std::uint32_t>(a.seed[0]);
  const std::uint32_t high = static_cast<std::uint32_t>(a.seed[1]);
  const unsigned channels = static_cast<unsigned>(a.channels);
  const std::int64_t plane = a.height * a.width;
  const std::int64_t size = a.channels * plane;
  const std::int64_t before = blockIdx.x * size;
  for (std::int64_t at = first_element<kCount>(); at < size; at += element_stride<kCount>()) {
    auto values = load<kCount>(a.x + before + at);
    std::int64_t pixel = static_cast<unsigned>(at) / channels;
    unsigned channel = static_cast<unsigned>(at) % channels;
    for (int i = 0; i < kCount; ++i) {
      const std::int64_t number = a.first + before + channel * plane + pixel;
      const float noise = uniform(static_cast<std::uint64_t>(number), low, high);
      values.at[i] = __fadd_rn(values.at[i], __fmul_rn(a.sigma, noise));
      if (++channel == channels) {
        channel = 0;
        ++pixel;
      }
    }
    store(values, a.y + before + at);
  }
}

template <int kCount>
void run(const UniformNoise& a, std::int64_t size, Stream stream) {
  SWEEP_LAUNCH(add_noise<kCount>, image_grid(a.count, size, kCount), kThreads, stream, a);
}

}  // namespace

void add_uniform_noise(const UniformNoise& arguments, Stream stream) {
  const std::int64_t size = arguments.channels * arguments.height * arguments.width;
  if (arguments.count == 0 || size == 0) return;
  if (in_fours(size))
    run<4>(arguments, size, stream);
  else
    run<1>(arguments, size, stream);
}

}  // namespace sweep::cuda
