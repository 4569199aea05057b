#pragma once

#include <string>

namespace sweep::tasks {

/// Works on the tasks that arrive on `socket` until the agent closes it. Returns the process's
/// status.
int serve(int socket, int threads, const std::string& device);

}  // namespace sweep::tasks
