#pragma once

#include <algorithm>
#include <cstdint>

#ifdef __CUDACC__
#include <cuda_runtime.h>

#include <stdexcept>
#include <string>
#endif

/// What every kernel begins with. Where nvcc does not compile it, the language of kernels is that
/// of a header included before all others: tests/trainer/cuda/host_cuda.hpp.

#ifdef __CUDACC__

namespace sweep::cuda {

inline void check_launch(const char* kernel) {
  const cudaError_t error = cudaGetLastError();
  if (error != cudaSuccess)
    throw std::runtime_error(std::string("CUDA error: ") + cudaGetErrorString(error) +
                             " (starting the kernel " + kernel + ")");
}

}  // namespace sweep::cuda

/// SWEEP_LAUNCH(kernel, grid, block, stream, arguments...); a kernel with several template
/// arguments stands in parentheses.
#define SWEEP_LAUNCH(kernel, grid, block, stream, ...)                              \
  do {                                                                              \
    kernel<<<(grid), (block), 0, static_cast<cudaStream_t>(stream)>>>(__VA_ARGS__); \
    ::sweep::cuda::check_launch(#kernel);                                           \
  } while (false)

/// Before a loop that only reads: so many steps at once, whose loads wait for memory together.
#define SWEEP_UNROLL(steps) _Pragma(SWEEP_TEXT(unroll steps))
#define SWEEP_TEXT(...) #__VA_ARGS__

#endif

namespace sweep::cuda {

/// Threads of a block, but for the sums over columns.
constexpr int kThreads = 256;

/// Some full loads of the largest devices; what is left is done by the same threads in a loop.
constexpr std::int64_t kMaxBlocks = 32 * 132;

constexpr std::int64_t ceil_divide(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// Blocks for `work` pieces of which a block takes `per_block` at a time.
inline unsigned blocks_for(std::int64_t work, std::int64_t per_block,
                           std::int64_t limit = kMaxBlocks) {
  return static_cast<unsigned>(
      std::clamp<std::int64_t>(ceil_divide(work, per_block), 1, std::max<std::int64_t>(limit, 1)));
}

/// Number of a thread in a grid of one dimension.
__device__ __forceinline__ std::int64_t thread_number() {
  return std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ std::int64_t number_of_threads() {
  return std::int64_t{gridDim.x} * blockDim.x;
}

}  // namespace sweep::cuda
