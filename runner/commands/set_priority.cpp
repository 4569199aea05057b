#include <CLI/CLI.hpp>
#include <cstdint>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/commands/command.hpp"
#include "runner/commands/run_options.hpp"
#include "runner/inspect/requests.hpp"

namespace sweep::commands {
namespace {

constexpr std::int64_t kLargest = 1'000'000;

constexpr char kSetPriorityExamples[] =
    "\nTasks of a higher priority start first; 0 is the usual one. What runs already is not "
    "stopped. What the trial\n"
    "shares with others gets the priority too. Without an active run the request waits for its "
    "next start.\n"
    "\n"
    "  sweep_runner set-priority 3 10\n"
    "  sweep_runner set-priority 'L_n 10' -5 --dir results";

class SetPriority final : public Command {
 public:
  void add_options(CLI::App& app) override {
    app.add_option("trial", trial_, "Which trial: see sweep_runner list")
        ->type_name("TRIAL")
        ->required();
    app.add_option("priority", priority_, "The higher, the sooner")
        ->type_name("N")
        ->check(CLI::Range(-kLargest, kLargest))
        ->required();
    add_steering_options(app, steering_);
  }

  int run() override {
    const inspect::RunView run = open_run(steering_.where);
    const auto trials = find_trials(run, {trial_});
    const auto tasks = inspect::unfinished_tasks(run, trials);
    if (tasks.empty())
      throw InputError(concat("trial ", run.plan().trials[trials.front()].id,
                              " is done (a priority says what starts first); there is nothing to "
                              "be done"));
    Json request = inspect::request_for(run, "set-priority", tasks);
    request["priority"] = priority_;
    return send(run, request, concat("priority ", priority_, " for ", tasks.size(), " tasks"),
                steering_.no_wait);
  }

 private:
  Steering steering_;
  std::string trial_;
  std::int64_t priority_ = 0;
};

const bool added_set_priority = add<SetPriority>(
    "set-priority", Group::change, "What is to start sooner, or later", kSetPriorityExamples);

}  // namespace
}  // namespace sweep::commands
