#include "trainer/cuda/kernels/images.hpp"
#include "trainer/cuda/kernels/kernels.hpp"

namespace sweep::cuda {
namespace {

/// byte / 255 as division rounds it, for all 256 of them, at the cost of three instructions.
__device__ __forceinline__ float unit(std::uint32_t byte) {
  constexpr float kInverse = 1 / 255.0f;
  const float value = static_cast<float>(byte);
  const float quotient = __fmul_rn(value, kInverse);
  return fmaf(fmaf(-255.0f, quotient, value), kInverse, quotient);
}

/// 4 bytes, whatever their type.
using FourBytes __attribute__((may_alias)) = std::uint32_t;

/// kPixels bytes, the first in the lowest bits.
template <int kPixels>
__device__ __forceinline__ std::uint32_t load_bytes(const std::uint8_t* from) {
  static_assert(kPixels == 1 || kPixels == 4);
  if constexpr (kPixels == 1)
    return *from;
  else
    return *reinterpret_cast<const FourBytes*>(from);
}

/// @tparam kPixels  side by side of a thread: 4 where they divide the width, else 1
template <int kPixels>
__global__ void __launch_bounds__(kThreads) gather(const GatherImages a) {
  const int width = static_cast<int>(a.width);
  const int plane = static_cast<int>(a.height) * width;
  const std::int64_t image = blockIdx.x;
  const bool mirrored = a.flipped && a.flipped[image];
  const std::uint8_t* from = a.images + a.chosen[image] * 3 * plane;
  float* to = a.y + image * 3 * plane;
  for (std::int64_t first = first_element<kPixels>(); first < plane;
       first += element_stride<kPixels>()) {
    const int pixel = static_cast<int>(first);
    const int column = pixel % width;
    const int source = mirrored ? pixel - column + width - kPixels - column : pixel;
    Values<3 * kPixels> values;
    for (int channel = 0; channel < 3; ++channel) {
      const std::uint32_t bytes = load_bytes<kPixels>(from + channel * plane + source);
      for (int i = 0; i < kPixels; ++i) {
        const int shift = 8 * (mirrored ? kPixels - 1 - i : i);
        values.at[3 * i + channel] = unit(bytes >> shift & 0xff);
      }
    }
    for (int i = 0; i < 3; ++i) {
      Values<kPixels> some;
      for (int j = 0; j < kPixels; ++j) some.at[j] = values.at[kPixels * i + j];
      store(some, to + std::int64_t{3} * pixel + kPixels * i);
    }
  }
}

template <int kPixels>
void run(const GatherImages& a, Stream stream) {
  SWEEP_LAUNCH(gather<kPixels>, image_grid(a.count, a.height * a.width, kPixels), kThreads, stream,
               a);
}

}  // namespace

void gather_images(const GatherImages& arguments, Stream stream) {
  if (arguments.count == 0 || arguments.height * arguments.width == 0) return;
  if (arguments.width % 4 == 0)
    run<4>(arguments, stream);
  else
    run<1>(arguments, stream);
}

}  // namespace sweep::cuda
