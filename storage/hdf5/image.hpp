#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "storage/array.hpp"

namespace sweep::storage::hdf5 {

/// Bytes in front of the HDF5 data that HDF5 leaves to us (its "user block").
inline constexpr std::size_t kUserBlockBytes = 512;

/// A whole HDF5 file in memory, its first kUserBlockBytes zero. Arrays are contiguous and
/// uncompressed.
std::vector<std::byte> build_image(const Content& content);

/// The attributes of a file alone, whatever else is in it. Not for files of others: see
/// storage/image_set.hpp. @throws Error{bad_data}
Json read_attributes(const std::filesystem::path& path);

/// Reads a file whose bytes are mapped at `mapping`; arrays point into the mapping and keep it
/// alive.
/// @throws Error{bad_data}
Content read_mapped(const std::filesystem::path& path, std::shared_ptr<const std::byte> mapping,
                    std::size_t bytes);

}  // namespace sweep::storage::hdf5
