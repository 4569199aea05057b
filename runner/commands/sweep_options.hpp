#pragma once

#include <string>
#include <vector>

#include "runner/engine/run.hpp"

namespace CLI {
class App;
}

namespace sweep::commands {

/// The sweep file, and what the command line changes of it: the same for every verb that reads one.
void add_sweep_options(CLI::App& app, engine::RunRequest& request);

/// The arguments that add_sweep_options would make the same request of.
std::vector<std::string> sweep_arguments(const engine::RunRequest& request);

}  // namespace sweep::commands
