#include <CLI/CLI.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/commands/command.hpp"
#include "runner/commands/run_options.hpp"
#include "runner/inspect/status_report.hpp"

namespace sweep::commands {
namespace {

constexpr char kDrainExamples[] =
    "\nTasks that run come to their end, nothing new is started, and the run ends with 75; the "
    "command that started\n"
    "it goes on later. --stop does not wait for running tasks: they save and end, as after "
    "Ctrl-C.\n"
    "\n"
    "  sweep_runner drain results\n"
    "  sweep_runner drain results --stop";

class Drain final : public Command {
 public:
  void add_options(CLI::App& app) override {
    add_steering_options(app, steering_, true);
    app.add_flag("--stop", stop_, "Running tasks save and end at once");
  }

  int run() override {
    const inspect::RunView run = open_run(steering_.where);
    if (!run.active())
      throw InputError(concat("no run is active in '", run.folder().path.string(), "' (it is ",
                              inspect::run_state_text(run),
                              ": there is nothing to drain); start it first"));
    return send(run, {{"command", stop_ ? "stop" : "drain"}},
                stop_ ? "stop: running tasks save and end, then the run ends with 75"
                      : "drain: running tasks come to their end, nothing new starts, then the run "
                        "ends with 75",
                steering_.no_wait);
  }

 private:
  Steering steering_;
  bool stop_ = false;
};

const bool added_drain =
    add<Drain>("drain", Group::change, "Let a run come to an end after the tasks that run now",
               kDrainExamples);

}  // namespace
}  // namespace sweep::commands
