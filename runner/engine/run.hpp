#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cluster/message_bus.hpp"
#include "runner/plan/request.hpp"
#include "storage/store.hpp"

namespace sweep::engine {

/// How a run shows itself. automatic: live on a terminal, else plain.
enum class View { automatic, live, plain, json };

struct RunRequest {
  plan::Request sweep;
  std::filesystem::path out = "results";
  View view = View::automatic;
  bool join = false;          ///< share the folder with other runs that do
  bool retry_failed = false;  ///< what failed or was cancelled in earlier runs is taken up again
  std::filesystem::path executor;  ///< program in place of trial_executor; empty: that
};

/// Runs the sweep, or goes on where an earlier run stopped. Every rank calls it; rank 0 reads the
/// file and coordinates. Returns the process's exit status: rank 0's tells how the run ended, the
/// others return 0 (a launcher may kill a whole job when one rank fails).
int run(const RunRequest& request, cluster::MessageBus& bus);

/// The same, but makes nothing except the sweep's datasets, and writes its journal and logs to
/// runs/NAME/data. Progress goes to standard error. `planned` gets their names before any work
/// starts and may throw InputError.
int prepare_datasets(const RunRequest& request, cluster::MessageBus& bus,
                     const std::function<void(const std::vector<storage::ArtifactId>&)>& planned);

}  // namespace sweep::engine
