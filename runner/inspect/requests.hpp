#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "runner/inspect/run_view.hpp"

namespace sweep::inspect {

/// Tasks that cancelling the trials ends: those that are not done and that no other trial needs,
/// unless it is cancelled already. @param trials  indices in the plan
std::vector<std::size_t> tasks_to_cancel(const RunView& run,
                                         const std::vector<std::size_t>& trials);

/// Tasks of the trials that have failed, are blocked or were cancelled.
std::vector<std::size_t> tasks_to_retry(const RunView& run, const std::vector<std::size_t>& trials);

/// Tasks of the trials that are not done.
std::vector<std::size_t> unfinished_tasks(const RunView& run,
                                          const std::vector<std::size_t>& trials);

/// {"command": command, "tasks": [hash, ...]}
Json request_for(const RunView& run, const std::string& command,
                 const std::vector<std::size_t>& tasks);

/// A request in the folder control/ of a run, until it is obeyed.
class Request {
 public:
  /// Writes the file; adds the key "id". @throws Error{storage}, InputError when the folder is a
  /// link
  Request(const RunFolder& folder, Json request);

  /// What the coordinator says that it did, once the journal has it.
  /// Nothing after `patience` without a word.
  std::optional<std::string> wait(std::chrono::duration<double> patience);

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  Json request_;
  JournalReader journal_;
};

}  // namespace sweep::inspect
