#include <CLI/CLI.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/commands/command.hpp"
#include "runner/commands/run_options.hpp"
#include "runner/inspect/requests.hpp"

namespace sweep::commands {
namespace {

constexpr char kCancelExamples[] =
    "\nEnds what the trials alone need; what another trial needs too goes on. Finished work is "
    "kept, and retry\n"
    "takes a cancelled trial up again. Without an active run the request waits for its next "
    "start.\n"
    "\n"
    "  sweep_runner cancel 3 7\n"
    "  sweep_runner cancel 'denoising lambda_n=10 seed=0' --dir results";

class Cancel final : public Command {
 public:
  void add_options(CLI::App& app) override {
    app.add_option("trials", trials_, "Which trials: see sweep_runner list")
        ->type_name("TRIAL...")
        ->required();
    add_steering_options(app, steering_);
  }

  int run() override {
    const inspect::RunView run = open_run(steering_.where);
    const auto trials = find_trials(run, trials_);
    const auto tasks = inspect::tasks_to_cancel(run, trials);
    if (tasks.empty())
      throw InputError(
          "there is nothing to cancel (what these trials need is done, cancelled already, or "
          "needed by other trials too); sweep_runner list shows their states");
    return send(run, inspect::request_for(run, "cancel", tasks),
                concat("cancel ", trials.size(), trials.size() == 1 ? " trial: " : " trials: ",
                       tasks.size(), " tasks that nothing else needs"),
                steering_.no_wait);
  }

 private:
  Steering steering_;
  std::vector<std::string> trials_;
};

const bool added_cancel = add<Cancel>(
    "cancel", Group::change, "Take trials out of a run, also while it runs", kCancelExamples);

}  // namespace
}  // namespace sweep::commands
