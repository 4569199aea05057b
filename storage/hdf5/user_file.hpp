#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "storage/array.hpp"

namespace sweep::storage::hdf5 {

/// An array that is wanted of a file which somebody else has made.
struct WantedArray {
  enum class Values {
    pixels,   ///< unsigned bytes, or floating-point numbers (2, 4 or 8 bytes), which become float32
    integers  ///< of any size, which become int64
  };
  std::string key;  ///< path of the dataset in the file
  Values values = Values::pixels;
  std::vector<std::int64_t> largest_shape;  ///< also says the rank
  bool required = true;
};

/// Memory for an array whose type and shape are known to be sensible.
using Allocate = std::function<Array(ElementType type, std::vector<std::int64_t> shape)>;

/// Reads arrays of an HDF5 file that nothing is known of. They may be contiguous or chunked, of any
/// byte order, and compressed by HDF5's own filters deflate, shuffle and fletcher32. Whatever leads
/// out of the file (soft, external and user-defined links, external storage, virtual datasets) and
/// filters that would be loaded from libraries are refused. No memory is taken for an array that
/// is larger than its file explains.
///
/// HDF5 itself is not safe against files that are made to crash it: call it in
/// storage/isolated.hpp.
/// @returns the arrays by their keys; those that are not required and not there are left out
/// @throws InputError naming the file and the array
Content read_user_file(const std::filesystem::path& path, const std::vector<WantedArray>& wanted,
                       const Allocate& allocate);

}  // namespace sweep::storage::hdf5
