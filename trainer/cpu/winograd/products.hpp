// Products of matrices of which a few rows of the result stay in registers. Compiled once for each
// instruction set.
#pragma once

#include <cstdint>

#include "trainer/cpu/winograd/transforms.hpp"

namespace {

using Index = std::int64_t;

constexpr Index kLanes = SWEEP_LANES;
/// Rows of a result of two vectors that registers have room for, beside two vectors of the right
/// matrix and one of the left.
constexpr int kRows = SWEEP_LANES == 16 ? 14 : 6;

/// out[r][:] = sum over k of a[r][k] b[k][:], for `rows` rows and `vectors` vectors.
template <int rows, int vectors>
inline void multiply(const float* a, Index stride, const float* b, Index depth, float* out,
                     Index out_stride) {
  Vector sum[rows][vectors] = {};
  for (Index k = 0; k < depth; ++k) {
    Vector right[vectors];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) right[v] = load(b + (k * vectors + v) * kLanes);
#pragma GCC unroll 14
    for (int r = 0; r < rows; ++r) {
      const float left = a[r * stride + k];
#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) sum[r][v] += left * right[v];
    }
  }
#pragma GCC unroll 14
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) store(out + r * out_stride + v * kLanes, sum[r][v]);
}

/// out[r][:] += sum over k of a[k][r] b[k][:]
template <int rows, int vectors>
inline void multiply_transposed(const float* a, Index stride, const float* b, Index b_stride,
                                Index depth, float* out, Index out_stride) {
  Vector sum[rows][vectors] = {};
  for (Index k = 0; k < depth; ++k) {
    Vector right[vectors];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) right[v] = load(b + k * b_stride + v * kLanes);
#pragma GCC unroll 14
    for (int r = 0; r < rows; ++r) {
      const float left = a[k * stride + r];
#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) sum[r][v] += left * right[v];
    }
  }
#pragma GCC unroll 14
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) {
      float* to = out + r * out_stride + v * kLanes;
      store(to, load(to) + sum[r][v]);
    }
}

/// Calls f with a template argument from 1 to `most`: `rows`.
template <int most, typename F>
inline void with_rows(Index rows, F f) {
  if (rows == most) {
    f.template operator()<most>();
    return;
  }
  if constexpr (most > 1) with_rows<most - 1>(rows, f);
}

}  // namespace
