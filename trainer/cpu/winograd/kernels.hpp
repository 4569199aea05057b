#pragma once

#include <cstdint>

#include "trainer/cpu/bf16.hpp"

namespace sweep::trainer::winograd {

using cpu::Bf16;

/// Images in channels-last: [count][height][width][channels].
template <typename Pixel>
struct Images {
  Pixel* data;
  std::int64_t height, width, channels;
};

/// Weights [outputs][inputs][3][3], contiguous or channels-last.
template <typename Float>
struct Weights {
  Float* data;
  std::int64_t output_stride, input_stride, row_stride, column_stride;
};

/// Tiles of an image's `size` x `size` results lie side by side; those at the right and the lower
/// edge may reach over it.
struct Tiling {
  std::int64_t rows, columns;  ///< tiles of an image
  std::int64_t first;          ///< of all images' tiles, the one that is row 0 of what is computed
};

/// What is computed for each of the (size + 2)^2 points: a matrix [rows][columns] of floats, whose
/// rows are `stride` floats apart, and whose points are `point_stride` floats apart.
template <typename Float>
struct Matrices {
  Float* data;
  std::int64_t stride, point_stride;
};

/// The steps that touch images, of float32 or bfloat16, which they compute on in float32. A result
/// in bfloat16 is the nearest one, or the even one of two that are as near.
template <typename Pixel>
struct PixelKernels {
  /// V = B^T d B of tiles with a border of one pixel. Range: rows of V.
  void (*images)(const Images<const Pixel>&, const Tiling&, const Matrices<float>& v,
                 std::int64_t begin, std::int64_t end);
  /// y = A^T M A + bias. Range: rows of M. `bias` may be null.
  void (*results)(const Matrices<const float>& m, const Tiling&, const float* bias,
                  const Images<Pixel>& y, std::int64_t begin, std::int64_t end);
  /// Z = A y' A^T of a gradient y'. Range: rows of Z.
  void (*gradients)(const Images<const Pixel>& y, const Tiling&, const Matrices<float>& z,
                    std::int64_t begin, std::int64_t end);
};

/// The steps of a 3x3 convolution by Winograd's algorithm, for tiles of one size, on one
/// instruction set. Each function computes a range [begin, end) of its work, so that threads can
/// share it; what a range holds has the same bits however the work is divided.
///
/// Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016. Points
/// of tiles of 4 x 4 results are 0, +-5/8, +-3/2 and infinity: of those with short mantissas that
/// were tried the ones with the smallest error, 0.4 times that of the article's 0, +-1, +-2.
struct Kernels {
  int size;  ///< results of a tile in a row: 2 or 4
  /// Numbers of channels are multiples of it.
  int lanes;

  /// U = G g G^T for the outputs [begin, end), in panels of 2 x lanes outputs:
  /// [panel][points][inputs][2 lanes]; the last panel may have half as many. `begin` is the first
  /// output of a panel; `panels` points to it.
  /// @param turned  the convolution of the gradient: its outputs are the weights' inputs, and its
  ///                weights are turned by 180 degrees
  void (*weights)(const Weights<const float>&, bool turned, std::int64_t inputs,
                  std::int64_t outputs, std::int64_t begin, std::int64_t end, float* panels);
  /// M = V U. Range: points of all panels, whose number is that of `panels` and `m` from the first
  /// panel on.
  void (*products)(const Matrices<const float>& v, const float* panels, std::int64_t rows,
                   std::int64_t inputs, std::int64_t outputs, const Matrices<float>& m,
                   std::int64_t begin, std::int64_t end);
  /// U' = U' + V^T Z in panels as above. Range: points of all panels.
  void (*outer_products)(const Matrices<const float>& v, const Matrices<const float>& z,
                         std::int64_t rows, std::int64_t inputs, std::int64_t outputs,
                         float* panels, std::int64_t begin, std::int64_t end);
  /// g' = G^T U' G for the outputs [begin, end); `panels` points to that of `begin`.
  void (*weight_gradients)(const float* panels, std::int64_t inputs, std::int64_t outputs,
                           const Weights<float>&, std::int64_t begin, std::int64_t end);

  cpu::ForPixels<PixelKernels> pixels;
};

/// For tiles of 2 or of 4 results in a row; null where there are none for the instruction set.
const Kernels* kernels_for(int size);
const Kernels* avx2_kernels(int size);
const Kernels* avx512_kernels(int size);

}  // namespace sweep::trainer::winograd
