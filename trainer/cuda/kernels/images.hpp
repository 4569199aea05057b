#pragma once

#include "trainer/cuda/kernels/pack.hpp"

/// How threads lie over images of equal size: blockIdx.x is the image, and blocks of different
/// blockIdx.y share its elements, `kCount` side by side at a time.
namespace sweep::cuda {

/// Blocks of an image are at most so many.
constexpr std::int64_t kMaxParts = 64;

inline dim3 image_grid(std::int64_t images, std::int64_t size, int count) {
  return {static_cast<unsigned>(images),
          blocks_for(size, std::int64_t{kThreads} * count, kMaxParts)};
}

/// Elements side by side that a thread takes: those of an image have to begin at 16 bytes.
inline bool in_fours(std::int64_t size) {
  return size % 4 == 0;
}

template <int kCount>
__device__ __forceinline__ std::int64_t first_element() {
  const unsigned thread = threadIdx.y * blockDim.x + threadIdx.x;
  return (std::int64_t{blockIdx.y} * kThreads + thread) * kCount;
}

template <int kCount>
__device__ __forceinline__ std::int64_t element_stride() {
  return std::int64_t{gridDim.y} * kThreads * kCount;
}

}  // namespace sweep::cuda
