#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "runner/engine/run_log.hpp"
#include "runner/plan/graph.hpp"
#include "runner/scheduling/early_stopping.hpp"

namespace sweep::engine {

/// Ends trainings early by the rule of [search]. Its decisions go on where an earlier run stopped:
/// the values of all epochs are in the journal.
class Pruner {
 public:
  /// @param journal  of earlier runs
  Pruner(const scheduling::EarlyStoppingOptions& options, const plan::Graph& graph,
         const std::filesystem::path& journal);

  /// An epoch of the task is complete. True: it is to be ended. Models that other trials need, such
  /// as the attacker, never are.
  bool ends(std::size_t task, std::int64_t epoch, const Json& metrics, RunLog& log);
  void done(std::size_t task);

 private:
  void replay(const std::filesystem::path& journal);

  const plan::Graph& graph_;
  std::string metric_;
  std::optional<scheduling::EarlyStopping> rule_;  ///< nothing: none
  std::set<std::size_t> prunable_;
};

}  // namespace sweep::engine
