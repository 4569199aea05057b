#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace sweep::engine {

/// The last lines of a log, control characters replaced: what a task prints must not steer the
/// user's terminal. Empty where it can't be read.
std::vector<std::string> log_tail(const std::string& path, std::size_t lines);

}  // namespace sweep::engine
