#pragma once

#include <string>

#include "core/json.hpp"
#include "runner/inspect/run_view.hpp"

namespace sweep::inspect {

/// How the run stands, for a terminal: its state, counts, stages, ranks, and the last failures.
std::string status_text(const RunView& run);

/// The same for tools: docs/howto/status.md lists the keys.
Json status_json(const RunView& run);

/// "running", "died: no sign of life since ... (process 4711 on node1)".
std::string run_state_text(const RunView& run);

}  // namespace sweep::inspect
