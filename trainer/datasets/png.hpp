#pragma once

#include <filesystem>
#include <string>

#include "trainer/datasets/pixels.hpp"

namespace sweep::trainer {

/// What is wrong with the file as far as its header tells, or an empty text.
std::string quick_png_problem(const std::filesystem::path& path);

/// Grey, palette and 16-bit images become 8-bit RGB, 16 bits without a word about their gamma as
/// if they were 8 (value / 257, rounded); what is transparent shows black.
/// @throws Error{bad_data} naming the file when it is no PNG, is damaged or cut off, or is larger
///         than too_many_pixels allows or 256 MiB; Error{storage} when it can't be read.
Pixels decode_png(const std::filesystem::path& path);

/// A PNG file of 8-bit RGB.
std::string encode_png(const Pixels& pixels);

}  // namespace sweep::trainer
