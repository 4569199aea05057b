#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>

#include "trainer/datasets/random.hpp"

namespace sweep::trainer {

// What the painters of synthetic images share. Only + - * / and square roots: files that include
// this are compiled without fused multiply-adds (CMakeLists.txt), so that equal seeds give equal
// bytes on every machine.

using Colour = std::array<double, 3>;  ///< RGB in [0,1]

/// A quantity that differs from image to image: about normal.
struct Spread {
  double mean = 0, deviation = 0;
};

/// A place in the image: x to the right and y down, both from 0 to 1.
struct Point {
  double x = 0, y = 0;
};

inline double clamp01(double value) {
  return std::clamp(value, 0.0, 1.0);
}

inline double smooth(double t) {
  return t * t * (3 - 2 * t);
}

/// 0 below `low`, 1 above `high`, smooth between.
inline double ramp(double low, double high, double value) {
  return smooth(clamp01((value - low) / (high - low)));
}

inline double mix(double a, double b, double weight) {
  return a + (b - a) * weight;
}

inline Colour mix(const Colour& a, const Colour& b, double weight) {
  Colour result{};
  for (std::size_t c = 0; c < 3; ++c) result[c] = mix(a[c], b[c], weight);
  return result;
}

inline double draw(Random& random, const Spread& spread, double low, double high) {
  return std::clamp(spread.mean + spread.deviation * random.normal(), low, high);
}

/// A direction, all equally likely: cosine and sine without trigonometry.
inline Point direction(Random& random) {
  for (;;) {
    const Point p{random.uniform(-1, 1), random.uniform(-1, 1)};
    const double squared = p.x * p.x + p.y * p.y;
    if (squared > 1 || squared < 0.01) continue;
    const double length = std::sqrt(squared);
    return {p.x / length, p.y / length};
  }
}

/// Smooth noise in [0,1]: random values on a lattice, interpolated ("value noise").
class Noise {
 public:
  Noise(std::uint64_t seed, double cells) : seed_(seed), cells_(cells) {}

  double at(Point p) const {
    const double x = p.x * cells_, y = p.y * cells_;
    const double left = std::floor(x), top = std::floor(y);
    const auto i = static_cast<std::int64_t>(left), j = static_cast<std::int64_t>(top);
    const double u = smooth(x - left), v = smooth(y - top);
    const double above = corner(i, j) + (corner(i + 1, j) - corner(i, j)) * u;
    const double below = corner(i, j + 1) + (corner(i + 1, j + 1) - corner(i, j + 1)) * u;
    return above + (below - above) * v;
  }

 private:
  double corner(std::int64_t i, std::int64_t j) const {
    const auto key = static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15ULL +
                     static_cast<std::uint64_t>(j) * 0xC2B2AE3D27D4EB4FULL;
    return Random(seed_ ^ key).uniform();
  }

  std::uint64_t seed_;
  double cells_;
};

/// A slightly bent line across the image: a hair, a catheter.
struct Strand {
  Point start, along;
  double length = 0, bend = 0, width = 0;

  double cover(Point p) const {
    const double dx = p.x - start.x, dy = p.y - start.y;
    const double t = (dx * along.x + dy * along.y) / length;
    if (t < 0 || t > 1) return 0;
    const double distance = dy * along.x - dx * along.y - bend * t * (1 - t);
    return 1 - ramp(0.4 * width, width, distance < 0 ? -distance : distance);
  }
};

struct Dot {
  Point centre;
  double radius = 0;

  double cover(Point p) const {
    const double dx = p.x - centre.x, dy = p.y - centre.y;
    return 1 - ramp(0.5 * radius, radius, std::sqrt(dx * dx + dy * dy));
  }
};

/// Fills `planes` ([3,size,size]) with colour_at(position), row by row.
template <class ColourAt>
void paint_pixels(std::int64_t size, std::span<std::uint8_t> planes, const ColourAt& colour_at) {
  const auto side = static_cast<std::size_t>(size);
  for (std::size_t row = 0; row < side; ++row)
    for (std::size_t column = 0; column < side; ++column) {
      const Colour colour =
          colour_at({(static_cast<double>(column) + 0.5) / static_cast<double>(size),
                     (static_cast<double>(row) + 0.5) / static_cast<double>(size)});
      for (std::size_t c = 0; c < 3; ++c)
        planes[(c * side + row) * side + column] =
            static_cast<std::uint8_t>(clamp01(colour[c]) * 255 + 0.5);
    }
}

}  // namespace sweep::trainer
