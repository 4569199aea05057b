#include <CLI/CLI.hpp>
#include <numeric>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/commands/command.hpp"
#include "runner/commands/run_options.hpp"
#include "runner/inspect/requests.hpp"

namespace sweep::commands {
namespace {

constexpr char kRetryExamples[] =
    "\nGives what has failed, is blocked or was cancelled another chance. Without an active run "
    "the request waits\n"
    "for its next start.\n"
    "\n"
    "  sweep_runner retry 3\n"
    "  sweep_runner retry --all --dir results";

class Retry final : public Command {
 public:
  void add_options(CLI::App& app) override {
    auto* all = app.add_flag("--all", all_, "Every trial of the run");
    app.add_option("trials", trials_, "Which trials: see sweep_runner list")
        ->type_name("TRIAL...")
        ->excludes(all);
    add_steering_options(app, steering_);
  }

  int run() override {
    if (!all_ && trials_.empty())
      throw InputError("retry needs trials (it does not guess which); name them, or --all");
    const inspect::RunView run = open_run(steering_.where);
    auto trials = find_trials(run, trials_);
    if (all_) {
      trials.resize(run.trials().size());
      std::iota(trials.begin(), trials.end(), std::size_t{0});
    }
    const auto tasks = inspect::tasks_to_retry(run, trials);
    if (tasks.empty())
      throw InputError(
          "there is nothing to retry (no task of these trials has failed, is blocked or was "
          "cancelled); sweep_runner list shows their states");
    return send(run, inspect::request_for(run, "retry", tasks),
                concat("retry ", tasks.size(), tasks.size() == 1 ? " task" : " tasks"),
                steering_.no_wait);
  }

 private:
  Steering steering_;
  std::vector<std::string> trials_;
  bool all_ = false;
};

const bool added_retry =
    add<Retry>("retry", Group::change,
               "Try failed or cancelled trials again, also while the run goes on", kRetryExamples);

}  // namespace
}  // namespace sweep::commands
