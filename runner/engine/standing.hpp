#pragma once

#include <filesystem>
#include <vector>

#include "runner/plan/graph.hpp"
#include "storage/store.hpp"

namespace sweep::engine {

/// How a task stands when a run begins.
enum class Standing {
  open,
  done,       ///< nothing is to be made
  failed,     ///< in an earlier run, for good
  cancelled,  ///< in an earlier run
  pruned,
};

/// From the artifacts of the store, whole ones only, and from what the journal says of earlier
/// runs. Shards are done when what they make up is. Datasets are never failed: their images may
/// have been mended since.
/// @param progress  is called with the number of tasks that have been looked at
std::vector<Standing> standings(const plan::Graph& graph, const storage::Store& store,
                                const std::filesystem::path& journal,
                                const std::function<void(std::size_t)>& progress);

}  // namespace sweep::engine
