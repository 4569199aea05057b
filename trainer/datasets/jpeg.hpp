#pragma once

#include <filesystem>
#include <string>

#include "trainer/datasets/pixels.hpp"

namespace sweep::trainer {

/// What is wrong with the file as far as its header and its last bytes tell ("is no JPEG image",
/// "is cut off", ...), or an empty text. Reads some 64 KiB and decodes nothing.
std::string quick_jpeg_problem(const std::filesystem::path& path);

/// Greyscale becomes RGB; the orientation that EXIF data may ask for is ignored.
/// @throws Error{bad_data} naming the file when it is no JPEG, is damaged or cut off, or is larger
///         than 100 million pixels or 256 MiB; Error{storage} when it can't be read.
Pixels decode_jpeg(const std::filesystem::path& path);

}  // namespace sweep::trainer
