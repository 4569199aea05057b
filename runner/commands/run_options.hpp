#pragma once

#include <string>
#include <vector>

#include "core/json.hpp"
#include "runner/inspect/run_view.hpp"

namespace CLI {
class App;
}

namespace sweep::commands {

/// The run that a verb is about: --dir, --run, --out. With `positional` it may also be named as the
/// first argument.
void add_run_options(CLI::App& app, inspect::Where& where, bool positional = false);

/// How the run stands; warns of what could not be read. @throws InputError
inspect::RunView open_run(const inspect::Where& where);

void warn_of(const std::vector<std::string>& problems);

/// As a document of its own; bytes of logs that are no UTF-8 are replaced.
std::string dump(const Json& json);

/// What the verbs that steer a run have in common.
struct Steering {
  inspect::Where where;
  bool no_wait = false;
};

void add_steering_options(CLI::App& app, Steering& steering, bool positional = false);

/// Indices of the trials in the plan, each once. @throws InputError
std::vector<std::size_t> find_trials(const inspect::RunView& run,
                                     const std::vector<std::string>& names);

/// Writes the request, says `what` is asked for, and waits for the coordinator's answer.
/// Exit status: 0 obeyed, or kept for the next start; 2 refused; 75 no answer.
int send(const inspect::RunView& run, const Json& request, const std::string& what, bool no_wait);

}  // namespace sweep::commands
