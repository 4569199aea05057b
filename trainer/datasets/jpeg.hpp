#pragma once

#include <filesystem>
#include <string>

#include "trainer/datasets/pixels.hpp"

namespace sweep::trainer {

/// What is wrong with the file as far as its header and its last bytes tell ("is no JPEG image",
/// "is cut off", ...), or an empty text. Reads some 64 KiB and decodes nothing.
std::string quick_jpeg_problem(const std::filesystem::path& path);

/// Greyscale and CMYK become RGB; the image is turned as its EXIF data asks for.
/// @throws Error{bad_data} naming the file when it is no JPEG, is damaged or cut off, or is larger
///         than too_many_pixels allows or 256 MiB; Error{storage} when it can't be read.
Pixels decode_jpeg(const std::filesystem::path& path);

}  // namespace sweep::trainer
