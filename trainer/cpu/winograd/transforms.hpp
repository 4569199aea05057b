// Transforms of Winograd's algorithm F(size, 3), on vectors. Compiled once for each instruction
// set.
#pragma once

#include <utility>

#include "trainer/cpu/vectors.hpp"

namespace {

/// `kSize` results of a tile, `kPoints` points.
template <int size>
struct Transform;

/// Points 0, 1, -1, infinity.
template <>
struct Transform<2> {
  static constexpr int kSize = 2, kPoints = 4;

  /// B^T d
  static void image(const Vector (&d)[4], Vector (&v)[4]) {
    v[0] = d[2] - d[0];
    v[1] = d[2] + d[1];
    v[2] = d[2] - d[1];
    v[3] = d[3] - d[1];
  }

  /// G g
  static void weight(const Vector (&g)[3], Vector (&u)[4]) {
    const Vector even = 0.5F * (g[0] + g[2]), odd = 0.5F * g[1];
    u[0] = -g[0];
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = g[2];
  }

  /// A^T m
  static void result(const Vector (&m)[4], Vector (&y)[2]) {
    y[0] = m[0] + (m[1] + m[2]);
    y[1] = (m[1] - m[2]) + m[3];
  }

  /// A y
  static void gradient(const Vector (&y)[2], Vector (&z)[4]) {
    z[0] = y[0];
    z[1] = y[0] + y[1];
    z[2] = y[0] - y[1];
    z[3] = y[1];
  }

  /// G^T u
  static void weight_gradient(const Vector (&u)[4], Vector (&g)[3]) {
    const Vector even = 0.5F * (u[1] + u[2]);
    g[0] = even - u[0];
    g[1] = 0.5F * (u[1] - u[2]);
    g[2] = even + u[3];
  }
};

/// Points 0, a, -a, b, -b, infinity.
template <>
struct Transform<4> {
  static constexpr int kSize = 4, kPoints = 6;
  static constexpr float kA = 5.F / 8, kB = 3.F / 2;
  static constexpr float kA2 = kA * kA, kB2 = kB * kB, kA3 = kA2 * kA, kB3 = kB2 * kB;
  // Each point's product of its distances to the others: G's rows are divided by it.
  static constexpr double kN0 = 1.0 / (double{kA2} * kB2);
  static constexpr double kNa = 1.0 / (2.0 * kA2 * (double{kA2} - kB2));
  static constexpr double kNb = 1.0 / (2.0 * kB2 * (double{kB2} - kA2));

  static void image(const Vector (&d)[6], Vector (&v)[6]) {
    const Vector even_a = d[4] - kB2 * d[2], odd_a = kA * (d[3] - kB2 * d[1]);
    const Vector even_b = d[4] - kA2 * d[2], odd_b = kB * (d[3] - kA2 * d[1]);
    v[0] = kA2 * kB2 * d[0] + (d[4] - (kA2 + kB2) * d[2]);
    v[1] = even_a + odd_a;
    v[2] = even_a - odd_a;
    v[3] = even_b + odd_b;
    v[4] = even_b - odd_b;
    v[5] = kA2 * kB2 * d[1] + (d[5] - (kA2 + kB2) * d[3]);
  }

  static void weight(const Vector (&g)[3], Vector (&u)[6]) {
    constexpr auto na = static_cast<float>(kNa), nb = static_cast<float>(kNb);
    const Vector even_a = na * (g[0] + kA2 * g[2]), odd_a = (na * kA) * g[1];
    const Vector even_b = nb * (g[0] + kB2 * g[2]), odd_b = (nb * kB) * g[1];
    u[0] = static_cast<float>(kN0) * g[0];
    u[1] = even_a + odd_a;
    u[2] = even_a - odd_a;
    u[3] = even_b + odd_b;
    u[4] = even_b - odd_b;
    u[5] = g[2];
  }

  static void result(const Vector (&m)[6], Vector (&y)[4]) {
    const Vector even_a = m[1] + m[2], odd_a = m[1] - m[2];
    const Vector even_b = m[3] + m[4], odd_b = m[3] - m[4];
    y[0] = m[0] + (even_a + even_b);
    y[1] = kA * odd_a + kB * odd_b;
    y[2] = kA2 * even_a + kB2 * even_b;
    y[3] = kA3 * odd_a + (kB3 * odd_b + m[5]);
  }

  static void gradient(const Vector (&y)[4], Vector (&z)[6]) {
    const Vector even_a = y[0] + kA2 * y[2], odd_a = kA * (y[1] + kA2 * y[3]);
    const Vector even_b = y[0] + kB2 * y[2], odd_b = kB * (y[1] + kB2 * y[3]);
    z[0] = y[0];
    z[1] = even_a + odd_a;
    z[2] = even_a - odd_a;
    z[3] = even_b + odd_b;
    z[4] = even_b - odd_b;
    z[5] = y[3];
  }

  static void weight_gradient(const Vector (&u)[6], Vector (&g)[3]) {
    constexpr auto n0 = static_cast<float>(kN0), na = static_cast<float>(kNa),
                   nb = static_cast<float>(kNb);
    const Vector even_a = na * (u[1] + u[2]), even_b = nb * (u[3] + u[4]);
    g[0] = n0 * u[0] + (even_a + even_b);
    g[1] = (na * kA) * (u[1] - u[2]) + (nb * kB) * (u[3] - u[4]);
    g[2] = kA2 * even_a + (kB2 * even_b + u[5]);
  }
};

/// A map of n to m vectors, applied to the columns and then to the rows of an n x n square.
/// `from(row, column)` gives its vectors, `to(row, column, vector)` takes those of the m x m
/// result.
template <int n, int m, typename Map, typename From, typename To>
inline void in_two_dimensions(Map map, From from, To to) {
  Vector half[n][m];  // of each column, transposed
#pragma GCC unroll 6
  for (int column = 0; column < n; ++column) {
    Vector line[n];
#pragma GCC unroll 6
    for (int row = 0; row < n; ++row) line[row] = from(row, column);
    map(line, half[column]);
  }
#pragma GCC unroll 6
  for (int row = 0; row < m; ++row) {
    Vector line[n], out[m];
#pragma GCC unroll 6
    for (int column = 0; column < n; ++column) line[column] = half[column][row];
    map(line, out);
#pragma GCC unroll 6
    for (int column = 0; column < m; ++column) to(row, column, out[column]);
  }
}

/// Exchanges the blocks of `step` lanes off the diagonal of each 2 step x 2 step square.
template <int step, int... lane>
inline void exchange(Vector& upper, Vector& lower, std::integer_sequence<int, lane...>) {
  const Vector a = upper, b = lower;
  upper = __builtin_shufflevector(a, b, (lane & step ? SWEEP_LANES + lane - step : lane)...);
  lower = __builtin_shufflevector(a, b, (lane & step ? SWEEP_LANES + lane : lane + step)...);
}

template <int step = SWEEP_LANES / 2>
inline void transpose(Vector (&square)[SWEEP_LANES]) {
#pragma GCC unroll 16
  for (int row = 0; row < SWEEP_LANES; ++row)
    if (!(row & step))
      exchange<step>(square[row], square[row + step],
                     std::make_integer_sequence<int, SWEEP_LANES>{});
  if constexpr (step > 1) transpose<step / 2>(square);
}

}  // namespace
