#pragma once

#include <filesystem>
#include <string>

#include "trainer/datasets/pixels.hpp"

namespace sweep::trainer {

/// What is wrong with a JPEG or PNG file as far as its first and last bytes tell, or an empty text.
/// What it is follows from its content, not from its name.
std::string quick_image_problem(const std::filesystem::path& path);

/// @throws Error{bad_data} naming the file, Error{storage}: see decode_jpeg, decode_png.
Pixels decode_image(const std::filesystem::path& path);

}  // namespace sweep::trainer
