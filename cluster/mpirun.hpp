#pragma once

#include <string>
#include <vector>

namespace sweep::cluster {

/// Runs `mpirun -np ranks` of `command`, with what this machine needs (root in a container, more
/// ranks than cores, no binding to cores), and gives its exit status, or 128 + the signal that
/// ended it. A first SIGINT, SIGTERM, SIGUSR1 or SIGUSR2 is handed to the ranks as SIGUSR1, which
/// leaves them the time to save; mpirun would kill them two seconds after the others. A second one
/// is given to mpirun as SIGTERM. mpirun dies with this process.
/// @throws InputError when mpirun can't be started.
int run_mpirun(int ranks, const std::vector<std::string>& command);

}  // namespace sweep::cluster
