#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "trainer/weights/layout.hpp"

namespace sweep::trainer {

/// Bytes of a tensor; nothing for a shape that no tensor has.
std::optional<std::int64_t> byte_count(const Shape& shape, at::ScalarType type);

/// The bytes of a contiguous tensor on the CPU.
std::span<std::byte> bytes_of(const at::Tensor& tensor);

/// False for a tensor of truth values with bytes other than 0 and 1: reading these is undefined.
bool is_valid(const at::Tensor& tensor);

/// "[64, 3, 7, 7]", at most eight dimensions of it.
std::string shape_text(const Shape& shape);

}  // namespace sweep::trainer
