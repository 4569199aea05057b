#pragma once

#include <optional>
#include <string_view>

#include "core/json.hpp"

namespace sweep::engine {

/// A line of an executor (messages.hpp), with no other keys than those that its type has, all of
/// their types. Nothing where it is none: an executor opens files of strangers with big libraries,
/// so that nothing it says is trusted.
std::optional<Json> parse_executor_message(std::string_view line);

}  // namespace sweep::engine
