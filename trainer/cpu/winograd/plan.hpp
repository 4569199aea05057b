#pragma once

#include <cstdint>

#include "trainer/cpu/winograd/kernels.hpp"

namespace at {
class Tensor;
}

namespace sweep::trainer::winograd {

enum class Part { panels, left, right };

/// Memory of this thread that stays from call to call: fresh pages would cost as much as the work.
/// Valid until it is asked for more of the same part.
float* scratch(Part part, std::int64_t floats);

/// What one convolution computes, and in what pieces.
struct Plan {
  /// `images` gives count, height and width.
  Plan(const at::Tensor& images, std::int64_t channels_in, std::int64_t channels_out);

  Tiling from(std::int64_t tile) const { return {tiling.rows, tiling.columns, tile}; }

  /// One for each point, `rows` high, in this thread's memory.
  Matrices<float> matrices(Part part, std::int64_t columns, std::int64_t rows) const;

  /// Tiles of which all matrices fit into a core's cache.
  std::int64_t tiles_in_cache() const;

  /// Floats of the transformed weights of so many outputs.
  std::int64_t panel_floats(std::int64_t count) const { return points * inputs * count; }

  // Floats, as measured where the second-level cache has 2 MiB.
  static constexpr std::int64_t kSmallWeights = 1 << 20, kSmallMatrices = 4 << 20;

  /// How threads share the work: where transformed weights are small, by tiles; where they outweigh
  /// the tiles' matrices, and these are small, by outputs; otherwise by points.
  template <typename Way>
  Way choose(Way by_tiles, Way by_outputs, Way by_points) const {
    if (tiles > (inputs > outputs ? inputs : outputs) && panel_floats(outputs) <= kSmallWeights)
      return by_tiles;
    return points * tiles * (inputs + outputs) <= kSmallMatrices ? by_outputs : by_points;
  }

  const Kernels& kernels;
  std::int64_t points, inputs, outputs;
  Tiling tiling;
  std::int64_t tiles;
  std::int64_t panel, panels;  ///< outputs of a panel, and how many there are
};

std::int64_t divide_up(std::int64_t a, std::int64_t b);

}  // namespace sweep::trainer::winograd
