#pragma once

#include "core/error.hpp"

namespace sweep::scheduling {

/// Attempts that a task gets in all when its last one failed in this way: never more than
/// `attempts` (1 + run.retries), and so many only for losses that are not its own doing, its device
/// or its rank. Out of memory: up to 3, each with less memory use. What kills or hangs its
/// executor: up to 2. What would fail again in the same way: 1.
int allowed_attempts(FailureType type, int attempts);

/// True when going on is pointless for every task: results can't be written.
bool stops_the_run(FailureType type);

}  // namespace sweep::scheduling
