#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "core/atomic_file.hpp"
#include "core/json.hpp"

namespace sweep::storage {

/// The history of a run: one JSON object per line.
class Journal {
 public:
  /// Opens for appending; a torn last line (the writer was killed) is cut off. @throws
  /// Error{storage}
  explicit Journal(const std::filesystem::path& path);

  /// Adds "time" (ISO 8601, UTC). Bytes that are no UTF-8 are replaced. The line is kept until
  /// commit().
  void append(Json event);

  /// Writes what has been appended, wholly or not at all, and syncs: many events cost one sync.
  /// @throws Error{storage}; the lines are then kept for the next try.
  void commit();

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
  std::string pending_;
};

/// Calls `action` with every whole line of the journal that is a JSON object, one in memory at a
/// time; not at all when there is none. Anybody may have written them: keys may be missing or of
/// another type. @throws InputError when the journal is no file, Error{storage}
void for_each_event(const std::filesystem::path& path,
                    const std::function<void(const Json&)>& action);

/// The same as a list.
std::vector<Json> read_journal(const std::filesystem::path& path);

/// Now, as "2026-01-31T12:34:56Z".
std::string utc_time();

}  // namespace sweep::storage
