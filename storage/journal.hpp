#pragma once

#include <filesystem>
#include <vector>

#include "core/atomic_file.hpp"
#include "core/json.hpp"

namespace sweep::storage {

/// The history of a run: one JSON object per line, fsynced before append() returns.
class Journal {
 public:
  /// Opens for appending; a torn last line (the writer was killed) is cut off. @throws
  /// Error{storage}
  explicit Journal(const std::filesystem::path& path);

  /// Adds "time" (ISO 8601, UTC) and writes the line, wholly or not at all. Bytes that are no UTF-8
  /// are replaced. @throws Error{storage}
  void append(Json event);

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
};

/// Every whole line of the journal; empty when there is none.
std::vector<Json> read_journal(const std::filesystem::path& path);

/// Now, as "2026-01-31T12:34:56Z".
std::string utc_time();

}  // namespace sweep::storage
