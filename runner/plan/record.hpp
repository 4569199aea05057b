#pragma once

#include <string>
#include <vector>

#include "core/json.hpp"
#include "runner/plan/graph.hpp"
#include "runner/plan/sweep.hpp"

namespace sweep::plan {

/// runs/<sweep>/plan.json: the resolved sweep, and which artifact fills which cell of its table.
/// Everything that aggregate_results needs.
Json plan_record(const Sweep& sweep, const Graph& graph, const std::string& file);

/// What differs between the resolved sweeps of two records: "training.epochs of trial 3: 80 -> 40".
std::vector<std::string> changes(const Json& old_record, const Json& new_record);

}  // namespace sweep::plan
