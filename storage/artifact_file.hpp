#pragma once

#include <filesystem>

#include "storage/array.hpp"

namespace sweep::storage {

/// Artifacts are HDF5 files (any HDF5 tool opens them) whose 512-byte user block holds, as text,
/// the SHA-256 and the length of what follows. See docs/decisions/002.

/// Writes beside `path`, syncs, renames. @throws Error{storage}
void write_artifact(const std::filesystem::path& path, const Content& content);

/// Verifies the checksum and maps the file; arrays stay valid as long as they are held.
/// @throws Error{storage} when the file can't be opened, Error{bad_data} when it is damaged.
Content read_artifact(const std::filesystem::path& path);

}  // namespace sweep::storage
