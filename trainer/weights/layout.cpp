#include "trainer/weights/layout.hpp"

#include <algorithm>

namespace sweep::trainer {

std::optional<std::int64_t> product(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}

std::optional<std::int64_t> sum(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (a < 0 || b < 0 || __builtin_add_overflow(a, b, &result)) return std::nullopt;
  return result;
}

std::optional<std::int64_t> element_count(const Shape& shape) {
  if (shape.size() > max_dimensions) return std::nullopt;
  // Strides are products of dimensions where an empty one counts as 1, in bytes of up to 8.
  constexpr std::int64_t kWidest = 8;
  std::optional<std::int64_t> extent = kWidest;
  bool empty = false;
  for (const auto dimension : shape) {
    if (dimension < 0) return std::nullopt;
    empty |= dimension == 0;
    extent = product(*extent, std::max<std::int64_t>(dimension, 1));
    if (!extent) return std::nullopt;
  }
  return empty ? 0 : *extent / kWidest;
}

std::optional<std::int64_t> storage_needed(std::int64_t offset, const Shape& shape,
                                           const Shape& strides) {
  if (offset < 0 || shape.size() != strides.size()) return std::nullopt;
  std::optional<std::int64_t> last = offset;
  bool empty = false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    empty |= shape[i] == 0;
    const auto step = product(std::max<std::int64_t>(shape[i] - 1, 0), strides[i]);
    last = step ? sum(*last, *step) : std::nullopt;
    if (!last) return std::nullopt;
  }
  return empty ? offset : sum(*last, 1);
}

}  // namespace sweep::trainer
