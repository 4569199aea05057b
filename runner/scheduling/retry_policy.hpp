#pragma once

#include "core/error.hpp"

namespace sweep::scheduling {

/// Attempts that a task gets in all when its last one failed in this way.
/// `attempts` (run.attempts) is for losses that are not the task's own doing: its device or its
/// rank.
int allowed_attempts(FailureType type, int attempts);

/// True when going on is pointless for every task: results can't be written.
bool stops_the_run(FailureType type);

}  // namespace sweep::scheduling
