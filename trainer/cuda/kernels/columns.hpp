#pragma once

#include "trainer/cuda/kernels/kernels.hpp"
#include "trainer/cuda/kernels/pack.hpp"

/// How threads lie over a matrix [rows, channels]: a thread keeps to 16 bytes of channels, so that
/// what belongs to a channel is loaded once, and goes down the rows.
namespace sweep::cuda {

struct Columns {
  dim3 grid, block;
};

/// threadIdx.x and blockIdx.y choose the channels, threadIdx.y and blockIdx.x the first row.
/// @param pack  channels of a thread
/// @param rows_of_thread  fewer are not worth a thread's start
inline Columns columns(const Pixels& pixels, int pack, int threads, std::int64_t rows_of_thread,
                       std::int64_t max_blocks) {
  constexpr std::int64_t kMaxLanes = 32;  // a warp then reads 512 bytes in a row
  const std::int64_t packs = ceil_divide(pixels.channels, pack);
  const std::int64_t tiles = ceil_divide(packs, kMaxLanes);
  const std::int64_t lanes = ceil_divide(packs, tiles);
  const std::int64_t rows = threads / lanes;
  return {{blocks_for(pixels.rows, rows * rows_of_thread, max_blocks / tiles),
           static_cast<unsigned>(tiles)},
          {static_cast<unsigned>(lanes), static_cast<unsigned>(rows)}};
}

/// The first of a thread's `pack` channels; may lie behind the last channel.
__device__ __forceinline__ int first_channel(int pack) {
  return static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x) * pack;
}

__device__ __forceinline__ std::int64_t first_row() {
  return std::int64_t{blockIdx.x} * blockDim.y + threadIdx.y;
}

__device__ __forceinline__ std::int64_t row_stride() {
  return std::int64_t{gridDim.x} * blockDim.y;
}

/// Adds up, in a fixed order, the `values` of a block's threads of equal threadIdx.x, into those of
/// threadIdx.y == 0. Every thread of the block has to call it, and once only.
/// @param kBlock  threads of the block, at most
template <int kBlock, class Value, int kCount>
__device__ __forceinline__ void add_over_y(Value (&values)[kCount]) {
  __shared__ Value shared[kCount][kBlock];
  const int lanes = static_cast<int>(blockDim.x);
  const int row = static_cast<int>(threadIdx.y);
  const int mine = row * lanes + static_cast<int>(threadIdx.x);
  for (int i = 0; i < kCount; ++i) shared[i][mine] = values[i];
  for (int active = static_cast<int>(blockDim.y); active > 1;) {
    const int half = (active + 1) / 2;
    __syncthreads();
    if (row + half < active) {
      for (int i = 0; i < kCount; ++i) {
        values[i] += shared[i][mine + half * lanes];
        shared[i][mine] = values[i];
      }
    }
    active = half;
  }
}

}  // namespace sweep::cuda
