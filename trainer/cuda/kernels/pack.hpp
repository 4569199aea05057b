#pragma once

#include <cstdint>
#include <cstring>

#include "trainer/cuda/kernels/cuda.hpp"

#ifdef __CUDACC__
#include <cuda_bf16.h>
#endif

/// Numbers in memory, read and written 16 bytes at a time, and in registers as float.
namespace sweep::cuda {

/// The upper half of a float.
struct BFloat16 {
  std::uint16_t bits;
};

/// Elements of T in 16 bytes.
template <class T>
constexpr int kPack = 16 / static_cast<int>(sizeof(T));

template <int kCount>
struct Values {
  float at[kCount];
};

/// 16 bytes of numbers of any type: may_alias, since a copy by memcpy would be one byte at a time
/// on the device.
struct __attribute__((may_alias, aligned(16))) Words {
  std::uint32_t at[4];
};

__device__ __forceinline__ Words load_words(const void* from) {
  return *static_cast<const Words*>(from);
}

__device__ __forceinline__ void store_words(const Words& words, void* to) {
#ifdef __CUDA_ARCH__  // where the compiler may tear an assignment into four
  __stwb(static_cast<uint4*>(to), {words.at[0], words.at[1], words.at[2], words.at[3]});
#else
  *static_cast<Words*>(to) = words;
#endif
}

__device__ __forceinline__ float float_of(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

__device__ __forceinline__ std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// Rounded to the nearest, ties to even; NaN stays NaN.
__device__ __forceinline__ BFloat16 to_bfloat16(float value) {
#ifdef __CUDA_ARCH__
  return {__bfloat16_as_ushort(__float2bfloat16_rn(value))};
#else
  const std::uint32_t bits = bits_of(value);
  if (value != value) return {static_cast<std::uint16_t>(bits >> 16 | 0x40)};
  return {static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
#endif
}

/// Two of them, as they lie in memory.
__device__ __forceinline__ std::uint32_t to_two_bfloat16(float first, float second) {
  return std::uint32_t{to_bfloat16(second).bits} << 16 | to_bfloat16(first).bits;
}

__device__ __forceinline__ float load_one(const float* from) {
  return *from;
}
__device__ __forceinline__ float load_one(const BFloat16* from) {
  return float_of(std::uint32_t{from->bits} << 16);
}

__device__ __forceinline__ void store_one(float value, float* to) {
  *to = value;
}
__device__ __forceinline__ void store_one(float value, BFloat16* to) {
  *to = to_bfloat16(value);
}

/// `kCount` elements side by side: any number of whole 16 bytes at an address aligned to them, or
/// one element.
template <int kCount>
__device__ __forceinline__ Values<kCount> load(const float* from) {
  Values<kCount> values;
  if constexpr (kCount == 1) {
    values.at[0] = *from;
  } else {
    static_assert(kCount % 4 == 0);
    for (int i = 0; i < kCount; i += 4) {
      const Words words = load_words(from + i);
      for (int j = 0; j < 4; ++j) values.at[i + j] = float_of(words.at[j]);
    }
  }
  return values;
}

template <int kCount>
__device__ __forceinline__ Values<kCount> load(const BFloat16* from) {
  static_assert(kCount % 8 == 0);
  Values<kCount> values;
  for (int i = 0; i < kCount; i += 8) {
    const Words words = load_words(from + i);
    for (int j = 0; j < 4; ++j) {
      values.at[i + 2 * j] = float_of(words.at[j] << 16);
      values.at[i + 2 * j + 1] = float_of(words.at[j] & 0xffff0000);
    }
  }
  return values;
}

template <int kCount>
__device__ __forceinline__ void store(const Values<kCount>& values, float* to) {
  if constexpr (kCount == 1) {
    *to = values.at[0];
  } else {
    static_assert(kCount % 4 == 0);
    for (int i = 0; i < kCount; i += 4) {
      Words words;
      for (int j = 0; j < 4; ++j) words.at[j] = bits_of(values.at[i + j]);
      store_words(words, to + i);
    }
  }
}

template <int kCount>
__device__ __forceinline__ void store(const Values<kCount>& values, BFloat16* to) {
  static_assert(kCount % 8 == 0);
  for (int i = 0; i < kCount; i += 8) {
    Words words;
    for (int j = 0; j < 4; ++j)
      words.at[j] = to_two_bfloat16(values.at[i + 2 * j], values.at[i + 2 * j + 1]);
    store_words(words, to + i);
  }
}

/// max(value, 0); as in LibTorch NaN stays, so that a diverged training is noticed.
__device__ __forceinline__ float relu(float value) {
  return value <= 0 ? 0 : value;
}

/// The gradient before ReLU, of the one behind it and of what ReLU made.
__device__ __forceinline__ float relu_gradient(float gradient, float relu) {
  return relu <= 0 ? 0 : gradient;
}

}  // namespace sweep::cuda
