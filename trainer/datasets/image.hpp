#pragma once

#include <filesystem>
#include <string>

#include "trainer/datasets/pixels.hpp"

namespace sweep::trainer {

/// What is wrong with a JPEG, PNG or DICOM file as far as its ends tell, or an empty text.
/// What it is follows from its content, not from its name.
std::string quick_image_problem(const std::filesystem::path& path);

/// @throws Error{bad_data} naming the file, Error{storage}: see decode_jpeg, decode_png,
/// decode_dicom.
Pixels decode_image(const std::filesystem::path& path);

}  // namespace sweep::trainer
