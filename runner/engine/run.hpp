#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cluster/message_bus.hpp"

namespace sweep::engine {

struct RunRequest {
  std::filesystem::path file;
  std::vector<std::string> overrides;  ///< "key=value" of every --set
  std::filesystem::path out = "results";
};

/// Runs the sweep, or goes on where an earlier run stopped. Every rank calls it; rank 0 reads the
/// file and coordinates. Returns the process's exit status: rank 0's tells how the run ended, the
/// others return 0 (a launcher may kill a whole job when one rank fails).
int run(const RunRequest& request, cluster::MessageBus& bus);

}  // namespace sweep::engine
