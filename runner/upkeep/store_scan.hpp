#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store.hpp"

namespace sweep::upkeep {

struct FoundFile {
  std::filesystem::path path;
  std::uintmax_t bytes = 0;
};

struct FoundArtifact : FoundFile {
  storage::ArtifactId id;
};

struct FoundCheckpoint : FoundFile {
  std::string hash;  ///< of the artifact that it is to become
};

/// What lies in the folders of a store, by name only; no file is opened.
struct StoreScan {
  std::vector<FoundArtifact> artifacts;  ///< in the order of their kinds and names
  std::vector<FoundCheckpoint> checkpoints;
  std::vector<FoundFile> damaged;      ///< set aside
  std::vector<FoundFile> temporaries;  ///< being written, or left over by a process that was killed
  /// What nobody of us made: links, folders and files with other names.
  std::vector<std::filesystem::path> unknown;
};

/// Follows no links: what a link leads to does not belong to the store.
/// @throws InputError when there is no such folder or nothing of a sweep in it, Error{storage} when
/// one can't be read
StoreScan scan_store(const storage::Store& store);

/// The folders of runs/, of real folders only, in alphabetical order. @throws Error{storage}
std::vector<std::string> run_names(const storage::Store& store);

/// A real folder, no link to one.
bool is_folder(const std::filesystem::path& path);
/// A real file, no link to one.
bool is_file(const std::filesystem::path& path);

/// What is in a folder, sorted; empty when it is no real folder. @throws Error{storage}
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder);

/// 64 lower-case hexadecimal digits: the name of an artifact.
bool is_hash(std::string_view text);

/// What may name the folder of a run: letters, digits, '_', '-' and '.', not '.' at first, at most
/// 100.
bool is_run_name(std::string_view text);

/// "1.3 GB", "512 bytes".
std::string bytes_text(std::uintmax_t bytes);

/// "1 file", "3 files".
std::string count_text(std::size_t count, const std::string& one, const std::string& many = "");

}  // namespace sweep::upkeep
