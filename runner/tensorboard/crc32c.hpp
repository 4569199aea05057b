#pragma once

#include <cstdint>
#include <string_view>

namespace sweep::tensorboard {

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4).
std::uint32_t crc32c(std::string_view bytes);

}  // namespace sweep::tensorboard
