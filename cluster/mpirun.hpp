#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace sweep::cluster {

/// Runs `mpirun -np ranks` of `command`, with what this machine needs (root in a container, more
/// ranks than cores, no binding to cores), and gives its exit status, or 128 + the signal that
/// ended it. A first SIGINT, SIGTERM, SIGUSR1 or SIGUSR2 is handed to the ranks as SIGUSR1, which
/// leaves them the time to save; mpirun would kill them two seconds after the others. A second one
/// is given to mpirun as SIGTERM. mpirun dies with this process, and is killed when one of its
/// ranks has been gone for `patience`: one that dies while MPI starts may leave Open MPI 4.1
/// waiting for ever.
/// @throws InputError when mpirun can't be started.
int run_mpirun(int ranks, const std::vector<std::string>& command,
               std::chrono::seconds patience = std::chrono::seconds(20));

}  // namespace sweep::cluster
