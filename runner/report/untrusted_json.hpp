#pragma once

#include <string_view>

#include "core/json.hpp"

namespace sweep::report {

/// The text as JSON; null where it is none, or nested so deeply (beyond 64 levels) that copying it
/// could overflow the stack.
Json parse_untrusted(std::string_view text);

}  // namespace sweep::report
