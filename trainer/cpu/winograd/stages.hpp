// The steps of kernels.hpp. Compiled once for each instruction set.
#pragma once

#include "trainer/cpu/winograd/kernels.hpp"
#include "trainer/cpu/winograd/products.hpp"
#include "trainer/cpu/winograd/transforms.hpp"
#include "trainer/cpu/winograd/weight_block.hpp"

namespace {

using sweep::trainer::winograd::Images;
using sweep::trainer::winograd::Kernels;
using sweep::trainer::winograd::Matrices;
using sweep::trainer::winograd::PixelKernels;
using sweep::trainer::winograd::Tiling;

constexpr Index kPanel = 2 * kLanes;

inline Index smaller(Index a, Index b) {
  return a < b ? a : b;
}

/// First result of a tile.
struct Place {
  Index image, row, column;
};

inline Place place(const Tiling& tiling, Index tile, int size) {
  const Index index = tiling.first + tile, of_image = tiling.rows * tiling.columns;
  const Index within = index % of_image;
  return {index / of_image, within / tiling.columns * size, within % tiling.columns * size};
}

template <typename Pixel>
inline Pixel* pixel(const Images<Pixel>& x, Index image, Index row, Index column) {
  return x.data + ((image * x.height + row) * x.width + column) * x.channels;
}

template <typename T>
struct Stages {
  static constexpr int kSize = T::kSize, kPoints = T::kPoints, kSquare = kPoints * kPoints;

  /// Of one panel: `begin` is its first output.
  static Index panel_width(Index outputs, Index begin) { return smaller(outputs - begin, kPanel); }

  static void weights(const Weights<const float>& w, bool turned, Index inputs, Index outputs,
                      Index begin, Index end, float* panels) {
    Block block;
    for (Index k = begin; k < end; k += kLanes) {
      const Index panel = (k - begin) / kPanel * kPanel;
      const Index width = panel_width(outputs - begin, panel);
      float* out = panels + panel * inputs * kSquare + (k - begin - panel);
      const auto transform = [&](Index input, auto tap) {
        in_two_dimensions<3, kPoints>(T::weight, tap, [&](int row, int column, Vector u) {
          store(out + ((row * kPoints + column) * inputs + input) * width, u);
        });
      };
      if (turned) {
        for (Index i = 0; i < inputs; ++i)
          transform(i, [&](int row, int column) {
            const float* from = Block::tap(w, i, k, 8 - (row * 3 + column));
            if (w.input_stride == 1) return load(from);
            Vector value;
            for (Index o = 0; o < kLanes; ++o) value[o] = from[o * w.input_stride];
            return value;
          });
        continue;
      }
      const bool taps_last = Block::taps_last(w);
      for (Index c = 0; c < inputs; c += kLanes) {
        block.read(w, k, c);
        for (Index i = 0; i < kLanes; ++i)
          transform(c + i, [&](int row, int column) {
            return block.lines[Block::line(taps_last, row * 3 + column, i)];
          });
      }
    }
  }

  template <typename Pixel>
  static void images(const Images<const Pixel>& x, const Tiling& tiling, const Matrices<float>& v,
                     Index begin, Index end) {
    for (Index tile = begin; tile < end; ++tile) {
      const auto [image, first_row, first_column] = place(tiling, tile, kSize);
      const Pixel* pixels[kPoints][kPoints];
      for (int i = 0; i < kPoints; ++i)
        for (int j = 0; j < kPoints; ++j) {
          const Index row = first_row - 1 + i, column = first_column - 1 + j;
          const bool inside = row >= 0 && row < x.height && column >= 0 && column < x.width;
          pixels[i][j] = inside ? pixel(x, image, row, column) : nullptr;
        }
      for (Index c = 0; c < x.channels; c += kLanes) {
        float* to = v.data + tile * v.stride + c;
        in_two_dimensions<kPoints, kPoints>(
            T::image,
            [&](int i, int j) { return pixels[i][j] ? load(pixels[i][j] + c) : Vector{}; },
            [&](int i, int j, Vector value) {
              store(to + (i * kPoints + j) * v.point_stride, value);
            });
      }
    }
  }

  /// Calls f<vectors>(point, first output, offset among the panels) for such points of panels.
  template <typename F>
  static void each_panel(Index inputs, Index outputs, Index begin, Index end, F f) {
    for (Index index = begin; index < end; ++index) {
      const Index point = index % kSquare, k = index / kSquare * kPanel;
      const Index width = panel_width(outputs, k);
      const Index offset = k * inputs * kSquare + point * inputs * width;
      if (width == kPanel)
        f.template operator()<2>(point, k, offset);
      else
        f.template operator()<1>(point, k, offset);
    }
  }

  static void products(const Matrices<const float>& v, const float* panels, Index rows,
                       Index inputs, Index outputs, const Matrices<float>& m, Index begin,
                       Index end) {
    each_panel(inputs, outputs, begin, end, [&]<int vectors>(Index point, Index k, Index offset) {
      const float* left = v.data + point * v.point_stride;
      float* out = m.data + point * m.point_stride + k;
      in_blocks(rows, [&]<int few>(Index row) {
        multiply<few, vectors>(left + row * v.stride, v.stride, panels + offset, inputs,
                               out + row * m.stride, m.stride);
      });
    });
  }

  template <typename Pixel>
  static void results(const Matrices<const float>& m, const Tiling& tiling, const float* bias,
                      const Images<Pixel>& y, Index begin, Index end) {
    for (Index tile = begin; tile < end; ++tile) {
      const auto [image, row, column] = place(tiling, tile, kSize);
      const Index height = smaller(y.height - row, kSize), width = smaller(y.width - column, kSize);
      for (Index k = 0; k < y.channels; k += kLanes) {
        const float* from = m.data + tile * m.stride + k;
        const Vector added = bias ? load(bias + k) : Vector{};
        Pixel* to = pixel(y, image, row, column) + k;
        in_two_dimensions<kPoints, kSize>(
            T::result,
            [&](int i, int j) { return load(from + (i * kPoints + j) * m.point_stride); },
            [&](int i, int j, Vector value) {
              if (i < height && j < width)
                store(to + (i * y.width + j) * y.channels, value + added);
            });
      }
    }
  }

  template <typename Pixel>
  static void gradients(const Images<const Pixel>& y, const Tiling& tiling,
                        const Matrices<float>& z, Index begin, Index end) {
    for (Index tile = begin; tile < end; ++tile) {
      const auto [image, row, column] = place(tiling, tile, kSize);
      const Index height = smaller(y.height - row, kSize), width = smaller(y.width - column, kSize);
      for (Index k = 0; k < y.channels; k += kLanes) {
        const Pixel* from = pixel(y, image, row, column) + k;
        float* to = z.data + tile * z.stride + k;
        in_two_dimensions<kSize, kPoints>(
            T::gradient,
            [&](int i, int j) {
              return i < height && j < width ? load(from + (i * y.width + j) * y.channels)
                                             : Vector{};
            },
            [&](int i, int j, Vector value) {
              store(to + (i * kPoints + j) * z.point_stride, value);
            });
      }
    }
  }

  static void outer_products(const Matrices<const float>& v, const Matrices<const float>& z,
                             Index rows, Index inputs, Index outputs, float* panels, Index begin,
                             Index end) {
    each_panel(inputs, outputs, begin, end, [&]<int vectors>(Index point, Index k, Index offset) {
      const float* left = v.data + point * v.point_stride;
      const float* right = z.data + point * z.point_stride + k;
      in_blocks(inputs, [&]<int few>(Index c) {
        multiply_transposed<few, vectors>(left + c, v.stride, right, z.stride, rows,
                                          panels + offset + c * vectors * kLanes);
      });
    });
  }

  static void weight_gradients(const float* panels, Index inputs, Index outputs,
                               const Weights<float>& w, Index begin, Index end) {
    const bool taps_last = Block::taps_last(w);
    Block block;
    for (Index k = begin; k < end; k += kLanes) {
      const Index panel = (k - begin) / kPanel * kPanel;
      const Index width = panel_width(outputs - begin, panel);
      const float* from = panels + panel * inputs * kSquare + (k - begin - panel);
      for (Index c = 0; c < inputs; c += kLanes) {
        for (Index i = 0; i < kLanes; ++i)
          in_two_dimensions<kPoints, 3>(
              T::weight_gradient,
              [&](int row, int column) {
                return load(from + ((row * kPoints + column) * inputs + c + i) * width);
              },
              [&](int row, int column, Vector g) {
                block.lines[Block::line(taps_last, row * 3 + column, i)] = g;
              });
        block.write(w, k, c);
      }
    }
  }

  template <typename Pixel>
  static constexpr PixelKernels<Pixel> kOf = {images<Pixel>, results<Pixel>, gradients<Pixel>};

  static constexpr Kernels kKernels = {.size = kSize,
                                       .lanes = kLanes,
                                       .weights = weights,
                                       .products = products,
                                       .outer_products = outer_products,
                                       .weight_gradients = weight_gradients,
                                       .pixels = {kOf<float>, kOf<Bf16>}};
};

}  // namespace
