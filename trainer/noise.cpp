#include "trainer/noise.hpp"

#include <ATen/ATen.h>
#include <torch/library.h>

#include <cmath>

#include "attacks/device_operator.hpp"

namespace sweep::trainer {
namespace {

TORCH_LIBRARY_FRAGMENT(sweep, library) {
  library.def(
      "add_uniform_noise(Tensor images, float sigma, Tensor seed, int first_image) -> Tensor");
}

using FusedNoise = at::Tensor(const at::Tensor&, double, const at::Tensor&, std::int64_t);

/// A bijection of 32-bit numbers whose output bits depend on all input bits: two rounds of
/// xor-shift and multiplication. In int64 and with factors below 2^31, so that no product
/// overflows. In place.
void scramble(at::Tensor& h) {
  constexpr std::int64_t kLow32 = 0xffffffff;
  h.bitwise_xor_(h.bitwise_right_shift(16)).mul_(0x21f0aaad).bitwise_and_(kLow32);
  h.bitwise_xor_(h.bitwise_right_shift(15)).mul_(0x735a2d97).bitwise_and_(kLow32);
  h.bitwise_xor_(h.bitwise_right_shift(15));
}

}  // namespace

at::Tensor uniform_numbers(std::int64_t first, std::int64_t count, const Seed& seed,
                           const at::TensorOptions& options) {
  auto h = at::arange(first, first + count, options.dtype(at::kLong).requires_grad(false));
  const auto halves = seed.halves(h.device());
  h.bitwise_xor_(halves[0]);
  scramble(h);
  h.bitwise_xor_(halves[1]);
  scramble(h);
  return h.bitwise_right_shift_(8)
      .to(c10::typeMetaToScalarType(options.dtype()))
      .mul_(0x1p-23)
      .sub_(1);
}

namespace {

/// One for every pixel; `images` are those from number `first` on.
at::Tensor of_images(const at::Tensor& images, const Seed& seed, std::int64_t first) {
  const std::int64_t before = first * (images.numel() / images.size(0));
  return uniform_numbers(before, images.numel(), seed, images.options());
}

}  // namespace

at::Tensor add_uniform_noise(const at::Tensor& images, double sigma, const Seed& seed,
                             std::int64_t first) {
  static const attacks::DeviceOperator<FusedNoise> fused("sweep::add_uniform_noise");
  if (fused.serves(images) && images.scalar_type() == at::kFloat &&
      images.is_contiguous(at::MemoryFormat::ChannelsLast))
    return fused(images, sigma, seed.halves(images.device()), first);
  return images + of_images(images, seed, first).mul_(sigma).view(images.sizes());
}

at::Tensor standard_normal(const at::Tensor& images, const Seed& seed, std::int64_t first) {
  // Half a step up: the interval becomes symmetric and open.
  const auto values = of_images(images, seed, first).add_(0x1p-24);
  return values.erfinv_().mul_(std::sqrt(2.0)).view(images.sizes());
}

}  // namespace sweep::trainer
