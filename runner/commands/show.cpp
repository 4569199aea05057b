#include <CLI/CLI.hpp>
#include <iostream>

#include "runner/commands/command.hpp"
#include "runner/commands/run_options.hpp"
#include "runner/inspect/select.hpp"
#include "runner/inspect/trial_report.hpp"

namespace sweep::commands {
namespace {

constexpr char kShowExamples[] =
    "\nTRIAL is the trial's number or label, the label of its row, or the first digits of its "
    "model's name.\n"
    "\n"
    "  sweep_runner show 3\n"
    "  sweep_runner show 'L_n 0.1' --dir results --history\n"
    "  sweep_runner show 3 --json";

class Show final : public Command {
 public:
  void add_options(CLI::App& app) override {
    app.add_option("trial", trial_, "Which trial: see sweep_runner list")
        ->type_name("TRIAL")
        ->required();
    add_run_options(app, where_);
    app.add_flag("--history", history_, "Every epoch of the training, not only the last ones");
    app.add_flag("--json", json_, "For tools");
  }

  int run() override {
    const inspect::RunView run = open_run(where_);
    const Json trial = inspect::trial_json(run, inspect::find_trial(run.plan(), trial_));
    warn_of(trial.at("problems").get<std::vector<std::string>>());
    std::cout << (json_ ? dump(trial) : inspect::trial_text(trial, history_));
    return 0;
  }

 private:
  inspect::Where where_;
  std::string trial_;
  bool history_ = false, json_ = false;
};

const bool added_show =
    add<Show>("show", Group::look,
              "Everything about a trial: spec, tasks, training, accuracy, files", kShowExamples);

}  // namespace
}  // namespace sweep::commands
