#pragma once

#include <cstddef>
#include <cstdint>

/// The kernels of the CUDA module, one .cu file each, as functions that begin them. Free of
/// LibTorch, so that nvcc compiles them in seconds and a test can run them on the CPU.
///
/// Pointers are to memory of the device, aligned to 16 bytes; functions return before the work is
/// done. Sums are added up in an order that follows from the sizes alone: equal inputs give equal
/// bits.
namespace sweep::cuda {

/// A cudaStream_t.
using Stream = void*;

enum class Real { float32, bfloat16 };

/// Images [N,H,W] x channels in channels-last order: rows = N H W, the channels of a row side by
/// side. `channels` is a multiple of 8.
struct Pixels {
  std::int64_t rows = 0;
  std::int64_t channels = 0;
};

/// Bytes of working memory that normalize_relu and its gradient need.
std::size_t normalize_relu_workspace(const Pixels& pixels);

/// y = max(g (x - m) / sqrt(v + eps) + b [+ r], 0) with mean m and biased variance v of each
/// channel of x: batch normalisation in training mode (Ioffe and Szegedy 2015), a shortcut, and
/// ReLU.
struct NormalizeRelu {
  Pixels pixels;
  Real type;                   ///< of x, residual and y
  const void* x;               ///< [rows, channels]
  const void* residual;        ///< like x; null: none
  const float *weight, *bias;  ///< [channels]: g, b
  double eps;
  float *running_mean, *running_variance;  ///< [channels], moved by `momentum`; null: none
  double momentum;                         ///< the variance is moved towards the unbiased one
  void* y;                                 ///< like x
  float *mean, *inverse_deviation;         ///< [channels], out: m, 1 / sqrt(v + eps)
  void* workspace;
};
void normalize_relu(const NormalizeRelu& arguments, Stream stream);

/// Its gradients. Where ReLU has cut is read from y where there was a residual, and computed again
/// from x, as in the forward pass, where y is null.
struct NormalizeReluGradient {
  Pixels pixels;
  Real type;                     ///< of x, y, gradient, to_x and to_residual
  const void *gradient, *x, *y;  ///< y is needed with to_residual
  const float *weight, *bias, *mean, *inverse_deviation;
  void* to_x;
  void* to_residual;           ///< null: there was none
  float *to_weight, *to_bias;  ///< [channels]
  void* workspace;
};
void normalize_relu_gradient(const NormalizeReluGradient& arguments, Stream stream);

/// y = max(x + b [+ r], 0): what stands behind a convolution whose batch normalisation is folded.
/// @param residual  null: none. y may be x.
void bias_relu(const Pixels& pixels, Real type, const void* x, const float* bias,
               const void* residual, void* y, Stream stream);

/// to = gradient where y > 0, else 0: the gradient of bias_relu at x and at the residual.
/// @param count  elements, a multiple of 8
void relu_gradient(std::int64_t count, Real type, const void* gradient, const void* y, void* to,
                   Stream stream);

/// A batch out of a set of bytes: y[i,h,w,c] = images[chosen[i],c,h,w] / 255, mirrored (w from
/// the right) where flipped[i] != 0. The quotient is that of float32 division.
struct GatherImages {
  const std::uint8_t* images;  ///< [N,3,height,width], contiguous
  const std::int64_t* chosen;  ///< [count]
  const bool* flipped;         ///< [count]; null: none
  std::int64_t count, height, width;
  float* y;  ///< [count,height,width,3]
};
void gather_images(const GatherImages& arguments, Stream stream);

/// y = x + sigma u, u uniform in [-1,1), of images in channels-last order: u of the element
/// (n,c,h,w) is number first + ((n channels + c) height + h) width + w of the sequence that
/// trainer/noise.hpp defines. Product and sum are rounded one by one, as LibTorch does.
struct UniformNoise {
  const float* x;  ///< [count,height,width,channels]
  std::int64_t count, channels, height, width;
  float sigma;
  const std::int64_t* seed;  ///< [2] on the device: the low and the high 32 bits
  std::int64_t first;        ///< number of the first element
  float* y;                  ///< like x
};
void add_uniform_noise(const UniformNoise& arguments, Stream stream);

/// y = (x - mean[c]) / deviation[c] of `pixels` images' pixels with three channels side by side;
/// y is rounded to `type`.
void normalize_pixels(std::int64_t pixels, const float* x, const float* mean,
                      const float* deviation, Real type, void* y, Stream stream);
/// Its gradient at x: gradient / deviation[c], float32.
void normalize_pixels_gradient(std::int64_t pixels, Real type, const void* gradient,
                               const float* deviation, float* to_x, Stream stream);

std::size_t distances_workspace(std::int64_t count, std::int64_t size);

/// distances[i] = sqrt(sum over j of (a[i,j] - b[i,j])^2), i < count, j < size.
void distances(std::int64_t count, std::int64_t size, const float* a, const float* b,
               float* distances, void* workspace, Stream stream);
/// to_a[i,j] = gradient[i] (a[i,j] - b[i,j]) / distances[i], 0 where the distance is 0;
/// to_b = -to_a. One of them may be null.
void distances_gradient(std::int64_t count, std::int64_t size, const float* gradient,
                        const float* a, const float* b, const float* distances, float* to_a,
                        float* to_b, Stream stream);

/// One step of Adam on the variables of the attack of Carlini and Wagner, x' = (tanh(w) + 1) / 2,
/// for images i < count of `size` values each:
///   g = (gradient + 2 (x' - x)) dx'/dw,  dx'/dw = (1 - tanh(w)^2) / 2
///   mean = beta1 mean + (1 - beta1) g,  mean_square = beta2 mean_square + (1 - beta2) g^2
///   w = w - rate (mean / unbias1[i]) / (sqrt(mean_square / unbias2[i]) + eps)
///   x' = (tanh(w) + 1) / 2
struct CwUpdate {
  std::int64_t count, size;
  const float* gradient;           ///< of the loss without its distance, at x'
  const float* clean;              ///< x
  const float *unbias1, *unbias2;  ///< [count]: 1 - beta^t
  float beta1, beta2, eps, rate;
  float *w, *mean, *mean_square;  ///< [count,size], in and out
  float* adversarial;             ///< x', in and out
};
void cw_update(const CwUpdate& arguments, Stream stream);

/// x = min(max(x + alpha sign(gradient), lower), upper), in place: a step of I-FGSM and its
/// projection. The sign of 0 is 0.
void sign_step(std::int64_t count, const float* gradient, const float* lower, const float* upper,
               float alpha, float* x, Stream stream);

}  // namespace sweep::cuda
