// The steps of kernels.hpp. Compiled once for each instruction set.
#pragma once

#include "trainer/cpu/batch_norm/kernels.hpp"
#include "trainer/cpu/vectors.hpp"

namespace {

using sweep::trainer::cpu::Block;
using sweep::trainer::cpu::NormGradientRows;
using sweep::trainer::cpu::NormKernels;
using sweep::trainer::cpu::NormRows;
using sweep::trainer::cpu::NormSteps;

/// Vectors of a row whose sums stay in registers.
constexpr int kVectors = 4;
/// Rows that are summed up in float32, before they count in float64: they stay in the first-level
/// cache.
constexpr Index kFewRows = 64;

/// A few vectors in memory, where the compiler knows how to make them float64.
template <int vectors>
struct Floats {
  explicit Floats(const Vector (&values)[vectors]) {
    for (int v = 0; v < vectors; ++v) store(at + v * kLanes, values[v]);
  }
  float at[vectors * kLanes];
};

/// As in LibTorch NaN stays, so that a diverged training is noticed.
inline Vector relu_of(Vector value) {
  return value <= 0 ? Vector{} : value;
}

/// Calls f<vectors>(first channel) for all channels of a block.
template <typename F>
inline void in_columns(const Block& block, F f) {
  Index channel = block.first;
  for (; channel + kVectors * kLanes <= block.end; channel += kVectors * kLanes)
    f.template operator()<kVectors>(channel);
  for (; channel < block.end; channel += kLanes) f.template operator()<1>(channel);
}

/// Calls f(first row, how many) for a few rows at a time.
template <typename F>
inline void in_few_rows(Index rows, F f) {
  for (Index row = 0; row < rows; row += kFewRows)
    f(row, rows - row < kFewRows ? rows - row : kFewRows);
}

/// Mean and sum of squared deviations, put together by the formula of Chan, Golub and LeVeque
/// (1979).
template <int vectors>
struct Moments {
  double mean[vectors * kLanes]{}, squares[vectors * kLanes]{};
  Index count = 0;

  /// Their mean is other_mean + left.
  void add(const Vector (&other_mean)[vectors], const Vector (&left)[vectors],
           const Vector (&other_squares)[vectors], Index other_count) {
    const double all = static_cast<double>(count + other_count);
    const double part = static_cast<double>(other_count) / all;
    const double between = static_cast<double>(count) * part;
    const Floats<vectors> their_mean(other_mean), their_rest(left), their_squares(other_squares);
    for (Index i = 0; i < vectors * kLanes; ++i) {
      const double difference = their_mean.at[i] - mean[i] + their_rest.at[i];
      mean[i] += difference * part;
      squares[i] += their_squares.at[i] + difference * difference * between;
    }
    count += other_count;
  }
};

/// Of a few rows, by a mean that is rounded, and what that leaves (the corrected algorithm of Chan,
/// Golub and LeVeque, 1983): no digits are lost far from zero.
template <int vectors, typename Pixel>
inline void add_few_rows(const Pixel* x, Index stride, Index rows, Moments<vectors>& moments) {
  Vector mean[vectors]{}, left[vectors]{}, squares[vectors]{};
  const auto count = static_cast<float>(rows);
  for (Index row = 0; row < rows; ++row)
    for (int v = 0; v < vectors; ++v) mean[v] += load(x + row * stride + v * kLanes);
  for (int v = 0; v < vectors; ++v) mean[v] /= count;
  for (Index row = 0; row < rows; ++row)
    for (int v = 0; v < vectors; ++v) {
      const Vector deviation = load(x + row * stride + v * kLanes) - mean[v];
      left[v] += deviation;
      squares[v] += deviation * deviation;
    }
  for (int v = 0; v < vectors; ++v) {
    left[v] /= count;
    squares[v] -= left[v] * left[v] * count;
  }
  moments.add(mean, left, squares, rows);
}

template <typename Pixel>
void statistics(const Pixel* x, Index channels, const Block& block, double* mean, double* squares) {
  in_columns(block, [&]<int vectors>(Index channel) {
    Moments<vectors> moments;
    in_few_rows(block.rows, [&](Index row, Index count) {
      add_few_rows(x + row * channels + channel, channels, count, moments);
    });
    for (Index i = 0; i < vectors * kLanes; ++i) {
      mean[channel + i] = moments.mean[i];
      squares[channel + i] = moments.squares[i];
    }
  });
}

template <bool relu, bool residual, typename Pixel>
inline void normalize_rows(const NormRows<Pixel>& a) {
  for (Index row = 0; row < a.rows; ++row)
    for (Index c = 0; c < a.channels; c += kLanes) {
      const Index at = row * a.channels + c;
      const Vector deviation = load(a.x + at) - load(a.of.mean + c);
      Vector value = deviation * load(a.of.scale + c) + load(a.of.bias + c);
      if constexpr (residual) value += load(a.residual + at);
      if constexpr (relu) value = relu_of(value);
      store(a.y + at, value);
    }
}

template <typename Pixel>
void normalize(const NormRows<Pixel>& a) {
  if (a.relu)
    a.residual ? normalize_rows<true, true>(a) : normalize_rows<true, false>(a);
  else
    a.residual ? normalize_rows<false, true>(a) : normalize_rows<false, false>(a);
}

/// What tells where ReLU has cut.
enum class Cut { nowhere, from_x, from_y };

/// Calls f with the constant that says so of `a`.
template <typename Pixel, typename F>
inline void with_cut(const NormGradientRows<Pixel>& a, F f) {
  if (!a.relu)
    f.template operator()<Cut::nowhere>();
  else if (a.y)
    f.template operator()<Cut::from_y>();
  else
    f.template operator()<Cut::from_x>();
}

/// What ReLU lets through, of a vector at element `at`.
template <Cut cut, typename Pixel>
inline Vector let_through(const NormGradientRows<Pixel>& a, Index at, Vector deviation,
                          Vector scale, Vector bias) {
  const Vector gradient = load(a.gradient + at);
  if constexpr (cut == Cut::from_x) return deviation * scale + bias <= 0 ? Vector{} : gradient;
  if constexpr (cut == Cut::from_y) return load(a.y + at) <= 0 ? Vector{} : gradient;
  return gradient;
}

template <Cut cut, int vectors, typename Pixel>
inline void sum_columns(const NormGradientRows<Pixel>& a, Index rows, Index channel, double* sum,
                        double* sum_with_x) {
  Vector mean[vectors], scale[vectors], bias[vectors];
  for (int v = 0; v < vectors; ++v) {
    mean[v] = load(a.of.mean + channel + v * kLanes);
    scale[v] = load(a.of.scale + channel + v * kLanes);
    bias[v] = load(a.of.bias + channel + v * kLanes);
  }
  double all[vectors * kLanes]{}, all_with_x[vectors * kLanes]{};
  in_few_rows(rows, [&](Index first, Index count) {
    Vector few[vectors]{}, few_with_x[vectors]{};
    for (Index row = first; row < first + count; ++row)
      for (int v = 0; v < vectors; ++v) {
        const Index at = row * a.channels + channel + v * kLanes;
        const Vector deviation = load(a.x + at) - mean[v];
        const Vector g = let_through<cut>(a, at, deviation, scale[v], bias[v]);
        if (a.to_residual) store(a.to_residual + at, g);
        few[v] += g;
        few_with_x[v] += g * deviation;
      }
    const Floats<vectors> few_sums(few), few_sums_with_x(few_with_x);
    for (Index i = 0; i < vectors * kLanes; ++i) {
      all[i] += few_sums.at[i];
      all_with_x[i] += few_sums_with_x.at[i];
    }
  });
  for (Index i = 0; i < vectors * kLanes; ++i) {
    sum[channel + i] = all[i];
    sum_with_x[channel + i] = all_with_x[i];
  }
}

template <typename Pixel>
void gradient_sums(const NormGradientRows<Pixel>& a, const Block& block, double* sum,
                   double* sum_with_x) {
  with_cut(a, [&]<Cut cut>() {
    in_columns(block, [&]<int vectors>(Index channel) {
      sum_columns<cut, vectors>(a, block.rows, channel, sum, sum_with_x);
    });
  });
}

template <typename Pixel>
void gradient(const NormGradientRows<Pixel>& a, Index rows, const float* constant,
              const float* of_x, Pixel* to_x) {
  with_cut(a, [&]<Cut cut>() {
    for (Index row = 0; row < rows; ++row)
      for (Index c = 0; c < a.channels; c += kLanes) {
        const Index at = row * a.channels + c;
        const Vector deviation = load(a.x + at) - load(a.of.mean + c);
        const Vector scale = load(a.of.scale + c);
        const Vector g = let_through<cut>(a, at, deviation, scale, load(a.of.bias + c));
        store(to_x + at, scale * (g - load(constant + c) - deviation * load(of_x + c)));
      }
  });
}

template <typename Pixel>
constexpr NormSteps<Pixel> kNormSteps = {statistics<Pixel>, normalize<Pixel>, gradient_sums<Pixel>,
                                         gradient<Pixel>};

constexpr NormKernels kNormKernels = {.lanes = kLanes,
                                      .block_columns = kVectors * kLanes,
                                      .pixels = {kNormSteps<float>, kNormSteps<Bf16>}};

}  // namespace
