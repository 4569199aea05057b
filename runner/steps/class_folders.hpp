#pragma once

#include <cstdint>
#include <filesystem>

#include "runner/steps/image_source.hpp"

namespace sweep::steps {

/// All images of a folder that has one folder of JPEG, PNG and DICOM files for each class. Classes
/// are numbered in the order of their names, images are ordered by class and name and scaled to
/// image_size x image_size.
/// @throws InputError for a folder without classes or images, Error{bad_data} naming an image that
///         can't be decoded
LabelledImages load_class_folders(const std::filesystem::path& folder, std::int64_t image_size,
                                  int threads);

}  // namespace sweep::steps
