#include "trainer/cpu/winograd/plan.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>

namespace sweep::trainer::winograd {
namespace {

constexpr std::int64_t kPage = 4096;
/// Of the second-level cache of today's cores, 1 or 2 MiB, what weights leave.
constexpr std::int64_t kCache = 768 << 10;
/// A multiple of the rows that the kernels of every instruction set take at a time.
constexpr std::int64_t kRows = 42;

/// The one with the fewest products.
int best_size(std::int64_t height, std::int64_t width) {
  const auto products = [&](std::int64_t size) {
    return divide_up(height, size) * divide_up(width, size) * (size + 2) * (size + 2);
  };
  return products(4) <= products(2) ? 4 : 2;
}

}  // namespace

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

float* scratch(Part part, std::int64_t floats) {
  thread_local std::array<at::Tensor, 3> buffers;
  auto& buffer = buffers[static_cast<std::size_t>(part)];
  if (!buffer.defined() || buffer.numel() < floats) {
    buffer.reset();
    buffer = at::empty({floats}, at::kFloat);
  }
  return buffer.mutable_data_ptr<float>();
}

Plan::Plan(const at::Tensor& images, std::int64_t channels_in, std::int64_t channels_out)
    : kernels(*kernels_for(best_size(images.size(2), images.size(3)))),
      points((kernels.size + 2) * (kernels.size + 2)),
      inputs(channels_in),
      outputs(channels_out),
      tiling{divide_up(images.size(2), kernels.size), divide_up(images.size(3), kernels.size), 0},
      tiles(images.size(0) * tiling.rows * tiling.columns),
      panel(2 * kernels.lanes),
      panels(divide_up(outputs, panel)) {}

Matrices<float> Plan::matrices(Part part, std::int64_t columns, std::int64_t rows) const {
  // Rows half a page apart would share few lines of the first-level cache.
  const bool crowded = columns * std::int64_t{sizeof(float)} % (kPage / 2) == 0;
  const std::int64_t stride = crowded ? columns + kernels.lanes : columns;
  return {scratch(part, points * rows * stride), stride, rows * stride};
}

std::int64_t Plan::tiles_in_cache() const {
  const std::int64_t of_tile = points * (inputs + outputs) * std::int64_t{sizeof(float)};
  return std::max<std::int64_t>(1, kCache / of_tile / kRows) * kRows;
}

}  // namespace sweep::trainer::winograd
