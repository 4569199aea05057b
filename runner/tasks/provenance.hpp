#pragma once

#include <string>

#include "core/json.hpp"
#include "runner/tasks/task.hpp"

namespace sweep::tasks {

/// What tells how an artifact came about, beyond its spec, for its attribute "provenance": the
/// program and what it was built from, libraries, device, host, times, attempt. Two artifacts of
/// one spec differ in this alone. Nothing of it tells who made it or where on the disk.
/// @param started  when work on it began, as storage::utc_time() gives it
Json provenance_of(const Task& task, const std::string& started);

}  // namespace sweep::tasks
