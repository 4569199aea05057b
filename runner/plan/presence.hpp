#pragma once

#include <functional>
#include <vector>

#include "runner/plan/graph.hpp"

namespace sweep::plan {

/// Per task: whether nothing is to be made. Temporary artifacts count as made when all that is made
/// of them is there.
std::vector<bool> made(const Graph& graph,
                       const std::function<bool(const storage::ArtifactId&)>& is_there);

}  // namespace sweep::plan
