#pragma once

#include <filesystem>
#include <string>

#include "runner/engine/run_view.hpp"
#include "runner/plan/graph.hpp"
#include "storage/journal.hpp"

namespace sweep::engine {

/// What a run leaves in its folder of its course: journal.jsonl and status.json
/// (docs/run_folder.md).
class RunLog {
 public:
  /// @param epoch  number of this run of the store
  RunLog(const std::filesystem::path& folder, std::int64_t epoch);

  std::int64_t epoch() const { return epoch_; }
  const std::filesystem::path& folder() const { return folder_; }
  /// Of an attempt at a task.
  /// @param member  of the ranks that work on it: 0 is the lead
  std::string log_path(const plan::Task& task, int attempt, std::size_t member) const;

  void append(const std::string& event, Json keys);
  /// The same for an event of a task.
  void append(const std::string& event, const plan::Task& task, Json keys);

  /// Syncs the journal, and writes status.json when the last time is a second ago.
  /// @throws Error{storage} for the journal
  void commit(const RunView& view);
  /// @throws Error{storage}
  void write_status(const RunView& view);

 private:
  std::filesystem::path folder_;
  std::int64_t epoch_;
  storage::Journal journal_;
  std::string started_;
  Clock::time_point last_status_;
  bool status_failed_ = false;
};

}  // namespace sweep::engine
