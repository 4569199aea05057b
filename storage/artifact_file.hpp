#pragma once

#include <filesystem>
#include <string>

#include "storage/array.hpp"

namespace sweep::storage {

/// Artifacts are HDF5 files (any HDF5 tool opens them) whose 512-byte user block holds, as text,
/// the SHA-256 and the length of what follows. See docs/decisions/002.

/// Writes beside `path`, syncs, renames. @throws Error{storage}
void write_artifact(const std::filesystem::path& path, const Content& content);

/// The same where nothing is yet. False, and nothing is changed, where there is something.
/// @throws Error{storage}
bool write_new_artifact(const std::filesystem::path& path, const Content& content);

/// Verifies the checksum and maps the file; arrays stay valid as long as they are held.
/// @throws Error{storage} when the file can't be opened, Error{bad_data} when it is damaged.
Content read_artifact(const std::filesystem::path& path);

/// Verifies the checksum alone, piece by piece and without HDF5: for files of any size and origin.
/// Returns the SHA-256 of what follows the header. @throws as read_artifact
std::string verify_checksum(const std::filesystem::path& path);

/// The header of an artifact, which has its checksum: equal headers of undamaged files, equal
/// files. @throws Error{storage}
std::string read_header(const std::filesystem::path& path);

/// The attributes of a file whose checksum is right but which may come from anywhere. Everything
/// that read_artifact would open is opened, in a process of its own.
/// @throws Error{bad_data}, InputError when that process died
Json inspect_artifact(const std::filesystem::path& path);

}  // namespace sweep::storage
