// Products of matrices of which a few rows of the result stay in registers. Compiled once for each
// instruction set.
#pragma once

#include "trainer/cpu/vectors.hpp"

namespace {

/// Rows of a result of two vectors that registers have room for, beside two vectors of the right
/// matrix and one of the left.
constexpr int kRows = SWEEP_LANES == 16 ? 14 : 6;

/// Sums over k of left(r, k) b[k][:], which stay in registers. `b_stride`: floats between its rows.
template <int rows, int vectors, typename Left>
inline void add_up(Left left, const float* b, Index b_stride, Index depth,
                   Vector (&sum)[rows][vectors]) {
  for (Index k = 0; k < depth; ++k) {
    Vector right[vectors];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) right[v] = load(b + k * b_stride + v * kLanes);
#pragma GCC unroll 14
    for (int r = 0; r < rows; ++r) {
      const float factor = left(r, k);
#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) sum[r][v] += factor * right[v];
    }
  }
}

/// out[r][:] = sum over k of a[r][k] b[k][:], where the rows of b lie close.
template <int rows, int vectors>
inline void multiply(const float* a, Index stride, const float* b, Index depth, float* out,
                     Index out_stride) {
  Vector sum[rows][vectors] = {};
  add_up([=](int r, Index k) { return a[r * stride + k]; }, b, vectors * kLanes, depth, sum);
#pragma GCC unroll 14
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) store(out + r * out_stride + v * kLanes, sum[r][v]);
}

/// out[r][:] += sum over k of a[k][r] b[k][:], where the rows of out lie close.
template <int rows, int vectors>
inline void multiply_transposed(const float* a, Index stride, const float* b, Index b_stride,
                                Index depth, float* out) {
  Vector sum[rows][vectors] = {};
  add_up([=](int r, Index k) { return a[k * stride + r]; }, b, b_stride, depth, sum);
#pragma GCC unroll 14
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v, out += kLanes) store(out, load(out) + sum[r][v]);
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

/// Calls f with as many rows as registers have room for, and with what is left: f<rows>(first).
template <typename F>
inline void in_blocks(Index count, F f) {
  Index first = 0;
  for (; first + kRows <= count; first += kRows) f.template operator()<kRows>(first);
  if (first < count)
    with_rows<kRows - 1>(count - first, [&]<int rows>() { f.template operator()<rows>(first); });
}

}  // namespace
