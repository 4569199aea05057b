#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace sweep::trainer {

using Shape = std::vector<std::int64_t>;

/// Dimensions beyond these have no use in weights, and LibTorch's kernels end there.
inline constexpr std::size_t max_dimensions = 64;

/// `a` * `b` and `a` + `b` of numbers that are not negative; nothing when it is beyond 63 bits.
std::optional<std::int64_t> product(std::int64_t a, std::int64_t b);
std::optional<std::int64_t> sum(std::int64_t a, std::int64_t b);

/// Elements of a tensor. Nothing for a shape that no tensor has: too many dimensions, a negative
/// one, or a size or stride beyond 63 bits, even where another dimension is 0.
std::optional<std::int64_t> element_count(const Shape& shape);

/// Elements that a storage must have for a tensor of this layout: the last one that it reads, and
/// one. Nothing when it has negative strides, other lengths or sums beyond 63 bits.
std::optional<std::int64_t> storage_needed(std::int64_t offset, const Shape& shape,
                                           const Shape& strides);

}  // namespace sweep::trainer
