#pragma once

#include "trainer/cuda/kernels/columns.hpp"

/// Two sums over the rows of each channel: of a block's rows in float32, over the blocks in double.
namespace sweep::cuda {

/// Threads of a block that adds up rows, and how many blocks: all of them run at once on a device
/// of 132 multiprocessors, and few are left to be added up.
constexpr int kSumThreads = 512;
constexpr int kSumBlocksOfMultiprocessor = 2;
constexpr std::int64_t kMaxSumBlocks = kSumBlocksOfMultiprocessor * 132;

inline Columns sum_columns(const Pixels& pixels, int pack) {
  return columns(pixels, pack, kSumThreads, 2, kMaxSumBlocks);
}

/// A kernel's end: adds a block's sums up and writes them to block_sums [blocks,2,channels].
/// @param sums  first and second sums of the thread's channels
template <int kCount>
__device__ __forceinline__ void store_block_sums(float (&sums)[2 * kCount], int channels,
                                                 float* block_sums) {
  add_over_y<kSumThreads>(sums);
  const int channel = first_channel(kCount);
  if (threadIdx.y != 0 || channel >= channels) return;
  for (int which = 0; which < 2; ++which) {
    Values<kCount> values;
    for (int i = 0; i < kCount; ++i) values.at[i] = sums[which * kCount + i];
    store(values, block_sums + (std::int64_t{blockIdx.x} * 2 + which) * channels + channel);
  }
}

/// A block of the kernel that adds up block_sums: 32 bytes of channels, and as many threads for
/// each as find work.
constexpr int kFinishChannels = 8;
constexpr int kFinishThreads = kFinishChannels * 32;

inline Columns finish_columns(std::int64_t channels) {
  return {{1, static_cast<unsigned>(channels / kFinishChannels)},
          {kFinishChannels, kFinishThreads / kFinishChannels}};
}

struct Sums {
  double first, second;
};

/// The sums of channel first_channel(1), right for threadIdx.y == 0.
__device__ __forceinline__ Sums add_block_sums(int blocks, int channels, const float* block_sums) {
  const int channel = first_channel(1);
  double sums[2] = {};
  for (int block = static_cast<int>(threadIdx.y); block < blocks;
       block += static_cast<int>(blockDim.y)) {
    const float* of_block = block_sums + std::int64_t{block} * 2 * channels + channel;
    sums[0] += of_block[0];
    sums[1] += of_block[channels];
  }
  add_over_y<kFinishThreads>(sums);
  return {sums[0], sums[1]};
}

}  // namespace sweep::cuda
