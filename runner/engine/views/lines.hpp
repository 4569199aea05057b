#pragma once

#include <string>

#include "runner/engine/run_view.hpp"

namespace sweep::engine::views {

// What the plain and the live view have in common.

/// "[12/40] 3 min 05 s"
std::string position(const RunView& view);
/// The same with what runs, failures and the ETA.
std::string summary(const RunView& view);
/// The line that stays of a task that has ended.
std::string ended_line(const RankView& rank, const std::string& event, const RunView& view);
/// "40 %"
std::string percent(double fraction);

}  // namespace sweep::engine::views
