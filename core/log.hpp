#pragma once

#include <string_view>

namespace sweep {

/// Log lines go to standard error: "12:34:56 warning [rank 2] text".
/// `self` names the process ("rank 2", "executor"), and is empty for the coordinator.
void init_log(std::string_view self);

void log_info(std::string_view text);
void log_warning(std::string_view text);
void log_error(std::string_view text);

}  // namespace sweep
