#pragma once

#include <cstdint>
#include <span>

#include "trainer/datasets/jpeg.hpp"

namespace sweep::trainer {

/// Scales the whole image to size x size (the aspect ratio is not kept), with anti-aliasing, and
/// writes it as [3,size,size] into `planes`, which must have 3 * size * size elements.
void resize_to_planes(const Pixels& pixels, std::int64_t size, std::span<std::uint8_t> planes);

}  // namespace sweep::trainer
