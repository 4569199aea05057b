#pragma once

#include <functional>

#include "core/error.hpp"

namespace sweep::steps {

/// The status of `step`. What it throws is logged: input that can't be used and files that can't be
/// written end with bad_input, whatever else goes wrong with trials_failed.
ExitCode guarded(const std::function<ExitCode()>& step);

}  // namespace sweep::steps
