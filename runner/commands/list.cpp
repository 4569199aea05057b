#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "runner/command_line/usage.hpp"
#include "runner/commands/command.hpp"
#include "runner/commands/run_options.hpp"
#include "runner/inspect/trial_list.hpp"

namespace sweep::commands {
namespace {

constexpr char kListExamples[] =
    "\nKeys: id, label, row, state, seconds, attempts, model, why; every key of the spec "
    "(training.epochs); every\n"
    "column of the table, which is its accuracy in percent. States: done, running, waiting, "
    "failed, blocked (needs\n"
    "what has failed), cancelled, pruned.\n"
    "\n"
    "  sweep_runner list                                         the trials of the run in "
    "results/\n"
    "  sweep_runner list --state failed,blocked --columns id,label,why\n"
    "  sweep_runner list --where defence.name=denoising --metrics --sort -clean\n"
    "  sweep_runner list results --csv --columns id,training.seed,clean > trials.csv";

std::string states() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < inspect::kStates; ++i)
    names.emplace_back(to_string(static_cast<inspect::State>(i)));
  return command_line::choices_text(names);
}

class List final : public Command {
 public:
  void add_options(CLI::App& app) override {
    add_run_options(app, where_, true);
    app.add_option("--state", request_.states, "Only trials in one of these states")
        ->type_name("STATE,...")
        ->check(CLI::Validator(states()))
        ->delimiter(',')
        ->allow_extra_args(false);
    app.add_option("--where", request_.where, "Only trials whose key has this value; repeatable")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false)
        ->take_all();
    app.add_option("--columns", request_.columns, "What to show of each trial")
        ->type_name("KEY,...")
        ->delimiter(',')
        ->allow_extra_args(false);
    app.add_option("--sort", request_.sort, "By this key; -KEY: the largest first")
        ->type_name("KEY");
    app.add_flag("--metrics", request_.metrics,
                 "Also the accuracy in every column of the table (reads the evaluations)");
    auto* json = app.add_flag("--json", json_, "For tools");
    app.add_flag("--csv", csv_, "Comma-separated values, nothing cut")->excludes(json);
  }

  int run() override {
    const inspect::RunView run = open_run(where_);
    const auto list = inspect::list_trials(run, request_);
    warn_of(list.problems);
    if (json_) {
      std::cout << dump(inspect::json_of(list));
    } else {
      const auto table = inspect::table_of(list, !csv_);
      std::cout << (csv_ ? table.csv() : table.text());
    }
    return 0;
  }

 private:
  inspect::Where where_;
  inspect::ListRequest request_;
  bool json_ = false, csv_ = false;
};

const bool added_list = add<List>(
    "list", Group::look, "The trials of a run, with filters, columns and order", kListExamples);

}  // namespace
}  // namespace sweep::commands
