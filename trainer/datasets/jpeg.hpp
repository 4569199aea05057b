#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace sweep::trainer {

/// Pixels of an image, row by row, three bytes (RGB) each.
struct Pixels {
  std::int64_t height = 0, width = 0;
  std::vector<std::uint8_t> rgb;
};

/// What is wrong with the file as far as its first and last bytes tell ("is no JPEG image", "is cut off",
/// ...), or an empty text. Reads a few kilobytes. @throws Error{storage} when it can't be read.
std::string quick_jpeg_problem(const std::filesystem::path& path);

/// @throws Error{bad_data} naming the file when it is no JPEG, is damaged or cut off, or has more than
///         100 million pixels; Error{storage} when it can't be read.
Pixels decode_jpeg(const std::filesystem::path& path);

}  // namespace sweep::trainer
