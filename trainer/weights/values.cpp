#include "trainer/weights/values.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace sweep::trainer {

std::optional<std::int64_t> byte_count(const Shape& shape, at::ScalarType type) {
  const auto count = element_count(shape);
  return count ? product(*count, static_cast<std::int64_t>(c10::elementSize(type))) : std::nullopt;
}

std::span<std::byte> bytes_of(const at::Tensor& tensor) {
  return {static_cast<std::byte*>(tensor.data_ptr()), tensor.nbytes()};
}

bool is_valid(const at::Tensor& tensor) {
  if (tensor.scalar_type() != at::kBool) return true;
  const auto bytes = bytes_of(tensor);
  return std::all_of(bytes.begin(), bytes.end(),
                     [](std::byte byte) { return byte <= std::byte{1}; });
}

std::string shape_text(const Shape& shape) {
  constexpr std::size_t kShown = 8;
  std::vector<std::string> parts;
  for (const auto dimension : shape) {
    if (parts.size() == kShown) {
      parts.emplace_back("...");
      break;
    }
    parts.push_back(std::to_string(dimension));
  }
  return concat("[", join(parts, ", "), "]");
}

}  // namespace sweep::trainer
