// The operators of the namespace "sweep" (attacks/device_operator.hpp) by the kernels of this
// folder. Schemas, and what the arguments mean, stand where each is called.

#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/library.h>

#include <array>
#include <optional>
#include <tuple>

#include "trainer/cuda/kernels/kernels.hpp"

// A test that runs the kernels on the CPU registers them there.
#ifndef SWEEP_KERNELS_OF
#define SWEEP_KERNELS_OF CUDA
#endif

namespace sweep {
namespace {

using cuda::Pixels;
using cuda::Real;
using Optional = std::optional<at::Tensor>;

cuda::Stream stream_of(const at::Tensor& tensor) {
  if (tensor.is_cpu()) return nullptr;
  return c10::impl::VirtualGuardImpl(tensor.device().type())
      .getStream(tensor.device())
      .native_handle();
}

Real type_of(const at::Tensor& tensor) {
  TORCH_CHECK(tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kBFloat16,
              "a kernel was given ", tensor.scalar_type(), "; it takes float32 or bfloat16");
  return tensor.scalar_type() == at::kFloat ? Real::float32 : Real::bfloat16;
}

Pixels pixels(const at::Tensor& images) {
  TORCH_CHECK(images.is_contiguous(at::MemoryFormat::ChannelsLast) && images.size(1) % 8 == 0,
              "a kernel was given images of another memory order, or of ", images.size(1),
              " channels; it takes channels-last and a multiple of 8");
  return {images.numel() / images.size(1), images.size(1)};
}

/// Whether elements of the same place lie at the same place. Strides alone do not tell: those of
/// dimensions of size 1 mean nothing.
bool are_alike(const at::Tensor& a, const at::Tensor& b) {
  const auto both = [&](at::MemoryFormat order) {
    return a.is_contiguous(order) && b.is_contiguous(order);
  };
  return a.sizes() == b.sizes() && a.device() == b.device() &&
         (a.strides() == b.strides() || both(at::MemoryFormat::Contiguous) ||
          (a.dim() == 4 && both(at::MemoryFormat::ChannelsLast)));
}

void check_alike(const at::Tensor& a, const at::Tensor& b) {
  TORCH_CHECK(are_alike(a, b), "a kernel was given tensors ", a.sizes(), " and ", b.sizes(),
              " of different order; it takes alike ones");
}

template <class T>
const T* in(const Optional& tensor) {
  return tensor ? tensor->const_data_ptr<T>() : nullptr;
}

template <class T>
T* out(const Optional& tensor) {
  return tensor ? tensor->data_ptr<T>() : nullptr;
}

at::Tensor workspace(std::size_t bytes, const at::Tensor& like) {
  return at::empty({static_cast<std::int64_t>(bytes)}, like.options().dtype(at::kByte));
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> norm_relu(
    const at::Tensor& x, const Optional& residual, const at::Tensor& weight, const at::Tensor& bias,
    const Optional& running_mean, const Optional& running_variance, double momentum, double eps) {
  const c10::DeviceGuard guard(x.device());
  if (residual) check_alike(x, *residual);
  at::Tensor y = at::empty_like(x), mean = at::empty_like(weight),
             inverse_deviation = at::empty_like(weight);
  const auto work = workspace(cuda::normalize_relu_workspace(pixels(x)), x);
  cuda::normalize_relu({.pixels = pixels(x),
                        .type = type_of(x),
                        .x = x.const_data_ptr(),
                        .residual = residual ? residual->const_data_ptr() : nullptr,
                        .weight = weight.const_data_ptr<float>(),
                        .bias = bias.const_data_ptr<float>(),
                        .eps = eps,
                        .running_mean = out<float>(running_mean),
                        .running_variance = out<float>(running_variance),
                        .momentum = momentum,
                        .y = y.data_ptr(),
                        .mean = mean.data_ptr<float>(),
                        .inverse_deviation = inverse_deviation.data_ptr<float>(),
                        .workspace = work.data_ptr()},
                       stream_of(x));
  return {y, mean, inverse_deviation};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> norm_relu_gradient(
    const at::Tensor& gradient, const at::Tensor& x, const Optional& y, const at::Tensor& weight,
    const at::Tensor& bias, const at::Tensor& mean, const at::Tensor& inverse_deviation) {
  const c10::DeviceGuard guard(x.device());
  check_alike(x, gradient);
  at::Tensor to_x = at::empty_like(x), to_residual = y ? at::empty_like(x) : at::Tensor();
  at::Tensor to_weight = at::empty_like(weight), to_bias = at::empty_like(bias);
  const auto work = workspace(cuda::normalize_relu_workspace(pixels(x)), x);
  cuda::normalize_relu_gradient({.pixels = pixels(x),
                                 .type = type_of(x),
                                 .gradient = gradient.const_data_ptr(),
                                 .x = x.const_data_ptr(),
                                 .y = y ? y->const_data_ptr() : nullptr,
                                 .weight = weight.const_data_ptr<float>(),
                                 .bias = bias.const_data_ptr<float>(),
                                 .mean = mean.const_data_ptr<float>(),
                                 .inverse_deviation = inverse_deviation.const_data_ptr<float>(),
                                 .to_x = to_x.data_ptr(),
                                 .to_residual = y ? to_residual.data_ptr() : nullptr,
                                 .to_weight = to_weight.data_ptr<float>(),
                                 .to_bias = to_bias.data_ptr<float>(),
                                 .workspace = work.data_ptr()},
                                stream_of(x));
  return {to_x, to_residual, to_weight, to_bias};
}

at::Tensor bias_relu(const at::Tensor& x, const at::Tensor& bias, const Optional& residual) {
  const c10::DeviceGuard guard(x.device());
  if (residual) check_alike(x, *residual);
  at::Tensor y = at::empty_like(x);
  cuda::bias_relu(pixels(x), type_of(x), x.const_data_ptr(), bias.const_data_ptr<float>(),
                  residual ? residual->const_data_ptr() : nullptr, y.data_ptr(), stream_of(x));
  return y;
}

at::Tensor relu_gradient(const at::Tensor& gradient, const at::Tensor& y) {
  const c10::DeviceGuard guard(y.device());
  check_alike(gradient, y);
  at::Tensor to = at::empty_like(y);
  cuda::relu_gradient(y.numel(), type_of(y), gradient.const_data_ptr(), y.const_data_ptr(),
                      to.data_ptr(), stream_of(y));
  return to;
}

at::Tensor gather_images(const at::Tensor& images, const at::Tensor& chosen,
                         const Optional& flipped) {
  const c10::DeviceGuard guard(images.device());
  TORCH_CHECK(images.is_contiguous() && images.size(1) == 3, "images are not [N,3,H,W] in order");
  at::Tensor y =
      at::empty({chosen.size(0), 3, images.size(2), images.size(3)},
                images.options().dtype(at::kFloat).memory_format(at::MemoryFormat::ChannelsLast));
  cuda::gather_images({.images = images.const_data_ptr<std::uint8_t>(),
                       .chosen = chosen.const_data_ptr<std::int64_t>(),
                       .flipped = in<bool>(flipped),
                       .count = chosen.size(0),
                       .height = images.size(2),
                       .width = images.size(3),
                       .y = y.data_ptr<float>()},
                      stream_of(images));
  return y;
}

at::Tensor add_uniform_noise(const at::Tensor& images, double sigma, const at::Tensor& seed,
                             std::int64_t first_image) {
  const c10::DeviceGuard guard(images.device());
  at::Tensor y = at::empty_like(images);
  cuda::add_uniform_noise({.x = images.const_data_ptr<float>(),
                           .count = images.size(0),
                           .channels = images.size(1),
                           .height = images.size(2),
                           .width = images.size(3),
                           .sigma = static_cast<float>(sigma),
                           .seed = seed.const_data_ptr<std::int64_t>(),
                           .first = first_image * (images.numel() / images.size(0)),
                           .y = y.data_ptr<float>()},
                          stream_of(images));
  return y;
}

at::Tensor normalize_pixels(const at::Tensor& images, const at::Tensor& mean,
                            const at::Tensor& deviation, bool to_bf16) {
  const c10::DeviceGuard guard(images.device());
  at::Tensor y =
      at::empty_like(images, images.options().dtype(to_bf16 ? at::kBFloat16 : at::kFloat));
  cuda::normalize_pixels(images.numel() / 3, images.const_data_ptr<float>(),
                         mean.const_data_ptr<float>(), deviation.const_data_ptr<float>(),
                         type_of(y), y.data_ptr(), stream_of(images));
  return y;
}

at::Tensor normalize_pixels_gradient(const at::Tensor& gradient, const at::Tensor& deviation) {
  const c10::DeviceGuard guard(gradient.device());
  at::Tensor to_x = at::empty_like(gradient, gradient.options().dtype(at::kFloat));
  cuda::normalize_pixels_gradient(gradient.numel() / 3, type_of(gradient),
                                  gradient.const_data_ptr(), deviation.const_data_ptr<float>(),
                                  to_x.data_ptr<float>(), stream_of(gradient));
  return to_x;
}

at::Tensor distances(const at::Tensor& a, const at::Tensor& b) {
  const c10::DeviceGuard guard(a.device());
  check_alike(a, b);
  const std::int64_t count = a.size(0), size = a.numel() / count;
  at::Tensor result = at::empty({count}, a.options());
  const auto work = workspace(cuda::distances_workspace(count, size), a);
  cuda::distances(count, size, a.const_data_ptr<float>(), b.const_data_ptr<float>(),
                  result.data_ptr<float>(), work.data_ptr(), stream_of(a));
  return result;
}

std::tuple<at::Tensor, at::Tensor> distances_gradient(const at::Tensor& gradient,
                                                      const at::Tensor& a, const at::Tensor& b,
                                                      const at::Tensor& found,
                                                      std::array<bool, 2> wanted) {
  const c10::DeviceGuard guard(a.device());
  at::Tensor to_a = wanted[0] ? at::empty_like(a) : at::Tensor();
  at::Tensor to_b = wanted[1] ? at::empty_like(b) : at::Tensor();
  cuda::distances_gradient(a.size(0), a.numel() / a.size(0), gradient.const_data_ptr<float>(),
                           a.const_data_ptr<float>(), b.const_data_ptr<float>(),
                           found.const_data_ptr<float>(),
                           wanted[0] ? to_a.data_ptr<float>() : nullptr,
                           wanted[1] ? to_b.data_ptr<float>() : nullptr, stream_of(a));
  return {to_a, to_b};
}

void cw_update(at::Tensor& w, at::Tensor& mean, at::Tensor& mean_square, at::Tensor& adversarial,
               const at::Tensor& gradient, const at::Tensor& clean, const at::Tensor& unbias1,
               const at::Tensor& unbias2, double beta1, double beta2, double eps, double rate) {
  const c10::DeviceGuard guard(w.device());
  const auto like_w = [&](const at::Tensor& tensor) {
    return tensor.contiguous(w.suggest_memory_format());
  };
  const auto own_gradient = like_w(gradient), own_clean = like_w(clean);
  for (const at::Tensor* tensor : std::initializer_list<const at::Tensor*>{
           &mean, &mean_square, &adversarial, &own_gradient, &own_clean})
    check_alike(w, *tensor);
  cuda::cw_update({.count = w.size(0),
                   .size = w.numel() / w.size(0),
                   .gradient = own_gradient.const_data_ptr<float>(),
                   .clean = own_clean.const_data_ptr<float>(),
                   .unbias1 = unbias1.const_data_ptr<float>(),
                   .unbias2 = unbias2.const_data_ptr<float>(),
                   .beta1 = static_cast<float>(beta1),
                   .beta2 = static_cast<float>(beta2),
                   .eps = static_cast<float>(eps),
                   .rate = static_cast<float>(rate),
                   .w = w.data_ptr<float>(),
                   .mean = mean.data_ptr<float>(),
                   .mean_square = mean_square.data_ptr<float>(),
                   .adversarial = adversarial.data_ptr<float>()},
                  stream_of(w));
}

void sign_step(at::Tensor& images, const at::Tensor& direction, const at::Tensor& lower,
               const at::Tensor& upper, double alpha) {
  const c10::DeviceGuard guard(images.device());
  for (const at::Tensor* tensor : {&direction, &lower, &upper}) check_alike(images, *tensor);
  cuda::sign_step(images.numel(), direction.const_data_ptr<float>(), lower.const_data_ptr<float>(),
                  upper.const_data_ptr<float>(), static_cast<float>(alpha),
                  images.data_ptr<float>(), stream_of(images));
}

}  // namespace

TORCH_LIBRARY_IMPL(sweep, SWEEP_KERNELS_OF, library) {
  library.impl("norm_relu", &norm_relu);
  library.impl("norm_relu_gradient", &norm_relu_gradient);
  library.impl("bias_relu", &bias_relu);
  library.impl("relu_gradient", &relu_gradient);
  library.impl("gather_images", &gather_images);
  library.impl("add_uniform_noise", &add_uniform_noise);
  library.impl("normalize_pixels", &normalize_pixels);
  library.impl("normalize_pixels_gradient", &normalize_pixels_gradient);
  library.impl("distances", &distances);
  library.impl("distances_gradient", &distances_gradient);
  library.impl("cw_update", &cw_update);
  library.impl("sign_step", &sign_step);
}

}  // namespace sweep
