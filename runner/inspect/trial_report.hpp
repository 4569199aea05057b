#pragma once

#include <string>

#include "core/json.hpp"
#include "runner/inspect/run_view.hpp"

namespace sweep::inspect {

/// Everything that is known of a trial: "trial", "state", "spec", "tasks", "training", "metrics",
/// "files", "provenance"; docs/howto/show.md lists the keys.
/// @param trial  index in the plan
Json trial_json(const RunView& run, std::size_t trial);

/// The same for a terminal, from what trial_json says.
/// @param whole_history  every epoch instead of the last ones
std::string trial_text(const Json& trial, bool whole_history);

}  // namespace sweep::inspect
