// Weights between their memory order and vectors. Compiled once for each instruction set.
#pragma once

#include "trainer/cpu/winograd/kernels.hpp"
#include "trainer/cpu/winograd/products.hpp"
#include "trainer/cpu/winograd/transforms.hpp"

namespace {

using sweep::trainer::winograd::Weights;

constexpr Index kTaps = 9;

/// Weights of kLanes outputs and kLanes inputs, between the memory order that users gave and one
/// with vectors of outputs: [tap][input], or [input][tap] where weights lie so.
struct Block {
  /// Where a tap of an input is.
  static Index line(bool taps_last, Index tap, Index input) {
    return taps_last ? input * kTaps + tap : tap * kLanes + input;
  }

  /// Whether the nine taps of an input lie side by side, and those of the next behind them.
  template <typename Float>
  static bool taps_last(const Weights<Float>& w) {
    return w.column_stride == 1 && w.row_stride == 3 && w.input_stride == kTaps;
  }

  template <typename Float>
  static Float* tap(const Weights<Float>& w, Index output, Index input, Index tap) {
    return w.data + output * w.output_stride + input * w.input_stride + tap / 3 * w.row_stride +
           tap % 3 * w.column_stride;
  }

  /// Calls f(lines, address of output 0's part): kLanes lines belong to kLanes floats of each
  /// output.
  template <typename Float, typename F>
  static void each_square(const Weights<Float>& w, Index output, Index input, F f) {
    for (Index square = 0; square < kTaps; ++square)
      f(square * kLanes,
        taps_last(w) ? tap(w, output, input, 0) + square * kLanes : tap(w, output, input, square));
  }

  void read(const Weights<const float>& w, Index output, Index input) {
    each_square(w, output, input, [&](Index line, const float* from) {
      for (Index o = 0; o < kLanes; ++o) square[o] = load(from + o * w.output_stride);
      transpose(square);
      for (Index i = 0; i < kLanes; ++i) lines[line + i] = square[i];
    });
  }

  void write(const Weights<float>& w, Index output, Index input) {
    each_square(w, output, input, [&](Index line, float* to) {
      for (Index i = 0; i < kLanes; ++i) square[i] = lines[line + i];
      transpose(square);
      for (Index o = 0; o < kLanes; ++o) store(to + o * w.output_stride, square[o]);
    });
  }

  Vector lines[kTaps * kLanes];
  Vector square[kLanes];
};

}  // namespace
