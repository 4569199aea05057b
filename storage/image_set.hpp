#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "storage/array.hpp"

namespace sweep::storage {

/// Largest height and width of an image of a set.
inline constexpr std::int64_t kLargestImageSide = 8192;

/// What is read of an HDF5 file of labelled images.
struct ImageSetKeys {
  std::string images = "images";  ///< [N,3,H,W]: uint8, or floats in [0,1]
  std::string labels = "labels";  ///< [N] integers
  /// Read where they are there: arrays of images of the same shape, and of integers [N].
  std::vector<std::string> more_images = {}, more_integers = {};
};

/// A set of labelled images that a user has: the arrays of `keys` by their keys, images as uint8 or
/// as float32 in [0,1], integers as int64. The file may hold anything: it is read in a process of
/// its own (storage/isolated.hpp), and sizes are checked before memory is taken.
/// @throws InputError naming the file and the array
Content read_image_set(const std::filesystem::path& path, const ImageSetKeys& keys);

/// The attributes of such a file, which may hold anything, too: read in a process of its own.
/// @throws InputError, Error{bad_data}
Json read_set_attributes(const std::filesystem::path& path);

}  // namespace sweep::storage
