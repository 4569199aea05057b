#include "trainer/noise.hpp"

#include <ATen/ATen.h>

#include <cmath>

namespace sweep::trainer {
namespace {

/// A bijection of 32-bit numbers whose output bits depend on all input bits: two rounds of
/// xor-shift and multiplication. In int64 and with factors below 2^31, so that no product
/// overflows. In place.
void scramble(at::Tensor& h) {
  constexpr std::int64_t kLow32 = 0xffffffff;
  h.bitwise_xor_(h.bitwise_right_shift(16)).mul_(0x21f0aaad).bitwise_and_(kLow32);
  h.bitwise_xor_(h.bitwise_right_shift(15)).mul_(0x735a2d97).bitwise_and_(kLow32);
  h.bitwise_xor_(h.bitwise_right_shift(15));
}

/// U[-1, 1) in steps of 2^-23, which float32 holds exactly: the numbers from `first` on, [count].
at::Tensor uniform(std::int64_t first, std::int64_t count, std::uint64_t seed,
                   const at::Tensor& like) {
  auto h = at::arange(first, first + count, like.options().dtype(at::kLong).requires_grad(false));
  h.bitwise_xor_(static_cast<std::int64_t>(seed & 0xffffffff));
  scramble(h);
  h.bitwise_xor_(static_cast<std::int64_t>(seed >> 32));
  scramble(h);
  return h.bitwise_right_shift_(8).to(like.scalar_type()).mul_(0x1p-23).sub_(1);
}

}  // namespace

at::Tensor add_uniform_noise(const at::Tensor& images, double sigma, std::uint64_t seed,
                             std::int64_t first) {
  const std::int64_t before = first * (images.numel() / images.size(0));
  return images + uniform(before, images.numel(), seed, images).mul_(sigma).view(images.sizes());
}

at::Tensor standard_normal(const at::Tensor& images, std::uint64_t seed) {
  // Half a step up: the interval becomes symmetric and open.
  const auto values = uniform(0, images.numel(), seed, images).add_(0x1p-24);
  return values.erfinv_().mul_(std::sqrt(2.0)).view(images.sizes());
}

}  // namespace sweep::trainer
