#pragma once

#include <cstdint>

#include "trainer/tensors.hpp"

namespace sweep::trainer {

/// U[-1, 1) in steps of 2^-23, which float32 holds exactly: [count], those from number `first` on
/// of a sequence that `seed` gives, of the type and on the device of `options`.
at::Tensor uniform_numbers(std::int64_t first, std::int64_t count, const Seed& seed,
                           const at::TensorOptions& options);

/// `images` [N,3,H,W] plus U[-sigma, sigma] on every pixel, not clipped. A pixel's noise is a hash
/// of `seed` and of the pixel's position in the batch, of which `images` are those from number
/// `first` on: the same on the CPU and on a GPU, for every memory layout and number of threads,
/// with no state to be saved.
at::Tensor add_uniform_noise(const at::Tensor& images, double sigma, const Seed& seed,
                             std::int64_t first = 0);

/// Standard normal numbers of the shape of `images`, made of the same hash: at most 5.4 in
/// magnitude.
at::Tensor standard_normal(const at::Tensor& images, const Seed& seed, std::int64_t first = 0);

}  // namespace sweep::trainer
