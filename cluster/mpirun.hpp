#pragma once

#include <string>
#include <vector>

namespace sweep::cluster {

/// Replaces this process by `mpirun -np ranks` of `command`, with what this machine needs: root in
/// a container, more ranks than cores, no binding to cores. Returns only by throwing.
/// @throws InputError when mpirun can't be found.
[[noreturn]] void exec_mpirun(int ranks, const std::vector<std::string>& command);

}  // namespace sweep::cluster
