#include "trainer/cpu/winograd/convolution.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <bit>

#include "trainer/cpu/pixel_type.hpp"
#include "trainer/cpu/share.hpp"
#include "trainer/cpu/winograd/plan.hpp"

namespace sweep::trainer::winograd {
namespace {

using cpu::share;
using cpu::with_pixel_type;

/// Sums of the weights' gradient that are kept apart, at most: a thread for each. Their number
/// follows from shapes: results must not depend on that of threads.
constexpr std::int64_t kGroups = 8;
constexpr std::int64_t kGroupTiles = 128;
/// Tiles whose matrices are in memory at a time, at most, where all threads use the same ones.
constexpr std::int64_t kSharedTiles = 512;

/// From this column on.
Matrices<const float> read_only(const Matrices<float>& m, std::int64_t first = 0) {
  return {m.data + first, m.stride, m.point_stride};
}

/// Of a tensor of float32 or, as Bf16, of bfloat16.
template <typename Pixel>
Images<const Pixel> pixels(const at::Tensor& x) {
  return {static_cast<const Pixel*>(x.const_data_ptr()), x.size(2), x.size(3), x.size(1)};
}

template <typename Float>
Weights<Float> weights_of(const at::Tensor& weight, Float* data) {
  return {data, weight.stride(0), weight.stride(1), weight.stride(2), weight.stride(3)};
}

/// A convolution, or that of a gradient.
template <typename Pixel>
struct Task {
  Images<const Pixel> x;
  Weights<const float> g;
  bool turned;
  const float* bias;
  Images<Pixel> y;
};

template <typename Pixel>
void transform_weights(const Plan& plan, const Task<Pixel>& task, float* panels) {
  share(plan.panels, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t first = begin * plan.panel, last = std::min(plan.outputs, end * plan.panel);
    plan.kernels.weights(task.g, task.turned, plan.inputs, plan.outputs, first, last,
                         panels + plan.panel_floats(first));
  });
}

/// Calls f(index) for every point of every panel; a thread has all panels of its points.
template <typename F>
void each_point(const Plan& plan, F f) {
  share(plan.points, [&](std::int64_t begin, std::int64_t end) {
    for (; begin < end; ++begin)
      for (std::int64_t panel = 0; panel < plan.panels; ++panel) f(panel * plan.points + begin);
  });
}

/// Every thread takes tiles from their pixels to the results, a few at a time.
template <typename Pixel>
void by_tiles(const Plan& plan, const Task<Pixel>& task) {
  auto* panels = scratch(Part::panels, plan.panel_floats(plan.outputs));
  transform_weights(plan, task, panels);
  share(plan.tiles, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t most = std::min(end - begin, plan.tiles_in_cache());
    const auto v = plan.matrices(Part::left, plan.inputs, most);
    const auto m = plan.matrices(Part::right, plan.outputs, most);
    for (; begin < end; begin += most) {
      const std::int64_t rows = std::min(most, end - begin);
      plan.kernels.pixels.of<Pixel>().images(task.x, plan.from(begin), v, 0, rows);
      plan.kernels.products(read_only(v), panels, rows, plan.inputs, plan.outputs, m, 0,
                            plan.points * plan.panels);
      plan.kernels.pixels.of<Pixel>().results(read_only(m), plan.from(begin), task.bias, task.y, 0,
                                              rows);
    }
  });
}

/// Calls f(first output, how many, memory for their panel) for every panel.
template <typename F>
void by_panels(const Plan& plan, F f) {
  share(plan.panels, [&](std::int64_t begin, std::int64_t end) {
    auto* panel = scratch(Part::panels, plan.panel_floats(plan.panel));
    for (; begin < end; ++begin) {
      const std::int64_t first = begin * plan.panel;
      f(first, std::min(plan.panel, plan.outputs - first), panel);
    }
  });
}

/// Every thread takes outputs: transformed weights stay in its cache.
template <typename Pixel>
void by_outputs(const Plan& plan, const Task<Pixel>& task) {
  const auto v = plan.matrices(Part::left, plan.inputs, plan.tiles);
  const auto m = plan.matrices(Part::right, plan.outputs, plan.tiles);
  share(plan.tiles, [&](std::int64_t begin, std::int64_t end) {
    plan.kernels.pixels.of<Pixel>().images(task.x, plan.tiling, v, begin, end);
  });
  by_panels(plan, [&](std::int64_t first, std::int64_t count, float* panel) {
    plan.kernels.weights(task.g, task.turned, plan.inputs, plan.outputs, first, first + count,
                         panel);
    const Matrices<float> columns{m.data + first, m.stride, m.point_stride};
    plan.kernels.products(read_only(v), panel, plan.tiles, plan.inputs, count, columns, 0,
                          plan.points);
  });
  share(plan.tiles, [&](std::int64_t begin, std::int64_t end) {
    plan.kernels.pixels.of<Pixel>().results(read_only(m), plan.tiling, task.bias, task.y, begin,
                                            end);
  });
}

/// Every thread takes points: what belongs to one is read once for all outputs.
template <typename Pixel>
void by_points(const Plan& plan, const Task<Pixel>& task) {
  auto* panels = scratch(Part::panels, plan.panel_floats(plan.outputs));
  transform_weights(plan, task, panels);
  const std::int64_t most = std::min(plan.tiles, kSharedTiles);
  const auto v = plan.matrices(Part::left, plan.inputs, most);
  const auto m = plan.matrices(Part::right, plan.outputs, most);
  for (std::int64_t tile = 0; tile < plan.tiles; tile += most) {
    const std::int64_t rows = std::min(most, plan.tiles - tile);
    share(rows, [&](std::int64_t begin, std::int64_t end) {
      plan.kernels.pixels.of<Pixel>().images(task.x, plan.from(tile), v, begin, end);
    });
    each_point(plan, [&](std::int64_t index) {
      plan.kernels.products(read_only(v), panels, rows, plan.inputs, plan.outputs, m, index,
                            index + 1);
    });
    share(rows, [&](std::int64_t begin, std::int64_t end) {
      plan.kernels.pixels.of<Pixel>().results(read_only(m), plan.from(tile), task.bias, task.y,
                                              begin, end);
    });
  }
}

at::Tensor run(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool turned) {
  const std::int64_t outputs = turned ? weight.size(1) : weight.size(0);
  auto y = at::empty({x.size(0), outputs, x.size(2), x.size(3)},
                     x.options().memory_format(at::MemoryFormat::ChannelsLast));
  const Plan plan(x, x.size(1), outputs);
  with_pixel_type(x, [&]<typename Pixel>(Pixel) {
    const auto way = plan.choose(by_tiles<Pixel>, by_outputs<Pixel>, by_points<Pixel>);
    way(plan, {pixels<Pixel>(x),
               weights_of(weight, weight.const_data_ptr<float>()),
               turned,
               bias.defined() ? bias.const_data_ptr<float>() : nullptr,
               {static_cast<Pixel*>(y.mutable_data_ptr()), x.size(2), x.size(3), outputs}});
  });
  return y;
}

/// The gradient of weights.
template <typename Pixel>
struct WeightTask {
  Images<const Pixel> x, y;
  Weights<float> g;
};

/// V and Z of the tiles from `tile` on.
template <typename Pixel>
void transform(const Plan& plan, const WeightTask<Pixel>& task, std::int64_t tile,
               std::int64_t rows, const Matrices<float>& v, const Matrices<float>& z) {
  share(rows, [&](std::int64_t begin, std::int64_t end) {
    plan.kernels.pixels.of<Pixel>().images(task.x, plan.from(tile), v, begin, end);
    plan.kernels.pixels.of<Pixel>().gradients(task.y, plan.from(tile), z, begin, end);
  });
}

/// The gradient from the sums of all groups, which lie one behind the other.
void finish(const Plan& plan, const Weights<float>& g, float* sums, std::int64_t groups) {
  const std::int64_t floats = plan.panel_floats(plan.outputs);
  share(plan.panels, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t first = begin * plan.panel, last = std::min(plan.outputs, end * plan.panel);
    const std::int64_t from = plan.panel_floats(first), to = plan.panel_floats(last);
    for (std::int64_t group = 1; group < groups; ++group)
      for (std::int64_t i = from; i < to; ++i) sums[i] += sums[group * floats + i];
    plan.kernels.weight_gradients(sums + from, plan.inputs, plan.outputs, g, first, last);
  });
}

/// Every thread takes tiles, with sums of its own for a group of them.
template <typename Pixel>
void weight_gradient_by_tiles(const Plan& plan, const WeightTask<Pixel>& task) {
  const auto groups = static_cast<std::int64_t>(std::bit_floor(
      static_cast<std::uint64_t>(std::clamp(plan.tiles / kGroupTiles, std::int64_t{1}, kGroups))));
  const std::int64_t of_group = divide_up(plan.tiles, groups);
  const std::int64_t floats = plan.panel_floats(plan.outputs);
  auto* sums = scratch(Part::panels, groups * floats);
  share(groups, [&](std::int64_t group, std::int64_t last) {
    const std::int64_t most = std::min(of_group, plan.tiles_in_cache());
    const auto v = plan.matrices(Part::left, plan.inputs, most);
    const auto z = plan.matrices(Part::right, plan.outputs, most);
    for (; group < last; ++group) {
      auto* panels = sums + group * floats;
      std::fill_n(panels, floats, 0.F);
      const std::int64_t end = std::min(plan.tiles, (group + 1) * of_group);
      for (std::int64_t begin = group * of_group; begin < end; begin += most) {
        const std::int64_t rows = std::min(most, end - begin);
        plan.kernels.pixels.of<Pixel>().images(task.x, plan.from(begin), v, 0, rows);
        plan.kernels.pixels.of<Pixel>().gradients(task.y, plan.from(begin), z, 0, rows);
        plan.kernels.outer_products(read_only(v), read_only(z), rows, plan.inputs, plan.outputs,
                                    panels, 0, plan.points * plan.panels);
      }
    }
  });
  finish(plan, task.g, sums, groups);
}

/// Every thread takes outputs: their sums stay in its cache.
template <typename Pixel>
void weight_gradient_by_outputs(const Plan& plan, const WeightTask<Pixel>& task) {
  const auto v = plan.matrices(Part::left, plan.inputs, plan.tiles);
  const auto z = plan.matrices(Part::right, plan.outputs, plan.tiles);
  transform(plan, task, 0, plan.tiles, v, z);
  by_panels(plan, [&](std::int64_t first, std::int64_t count, float* panel) {
    std::fill_n(panel, plan.panel_floats(count), 0.F);
    plan.kernels.outer_products(read_only(v), read_only(z, first), plan.tiles, plan.inputs, count,
                                panel, 0, plan.points);
    plan.kernels.weight_gradients(panel, plan.inputs, plan.outputs, task.g, first, first + count);
  });
}

/// Every thread takes points: what belongs to one is read once for all outputs.
template <typename Pixel>
void weight_gradient_by_points(const Plan& plan, const WeightTask<Pixel>& task) {
  const std::int64_t most = std::min(plan.tiles, kSharedTiles);
  const auto v = plan.matrices(Part::left, plan.inputs, most);
  const auto z = plan.matrices(Part::right, plan.outputs, most);
  auto* sums = scratch(Part::panels, plan.panel_floats(plan.outputs));
  std::fill_n(sums, plan.panel_floats(plan.outputs), 0.F);
  for (std::int64_t tile = 0; tile < plan.tiles; tile += most) {
    const std::int64_t rows = std::min(most, plan.tiles - tile);
    transform(plan, task, tile, rows, v, z);
    each_point(plan, [&](std::int64_t index) {
      plan.kernels.outer_products(read_only(v), read_only(z), rows, plan.inputs, plan.outputs, sums,
                                  index, index + 1);
    });
  }
  finish(plan, task.g, sums, /*groups=*/1);
}

}  // namespace

bool suits(const at::Tensor& x, const at::Tensor& weight) {
  const auto* kernels = kernels_for(4);
  const bool known = x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16;
  return kernels && known && x.device().is_cpu() && weight.scalar_type() == at::kFloat &&
         x.is_contiguous(at::MemoryFormat::ChannelsLast) && x.numel() > 0 && x.size(2) >= 2 &&
         x.size(3) >= 2 && weight.size(2) == 3 && weight.size(3) == 3 &&
         weight.size(0) % kernels->lanes == 0 && weight.size(1) % kernels->lanes == 0 &&
         (weight.is_contiguous() || weight.is_contiguous(at::MemoryFormat::ChannelsLast));
}

at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return run(x, weight, bias, /*turned=*/false);
}

at::Tensor input_gradient(const at::Tensor& gradient, const at::Tensor& weight) {
  return run(gradient, weight, {}, /*turned=*/true);
}

at::Tensor weight_gradient(const at::Tensor& gradient, const at::Tensor& x,
                           const at::Tensor& weight) {
  const Plan plan(x, weight.size(1), weight.size(0));
  auto to_weight = at::empty_like(weight);
  with_pixel_type(x, [&]<typename Pixel>(Pixel) {
    const auto way = plan.choose(weight_gradient_by_tiles<Pixel>, weight_gradient_by_outputs<Pixel>,
                                 weight_gradient_by_points<Pixel>);
    way(plan, {pixels<Pixel>(x), pixels<Pixel>(gradient),
               weights_of(to_weight, to_weight.mutable_data_ptr<float>())});
  });
  return to_weight;
}

}  // namespace sweep::trainer::winograd
