#include <CLI/CLI.hpp>
#include <iostream>
#include <vector>

#include "core/error.hpp"
#include "runner/commands/command.hpp"
#include "runner/commands/show_plan.hpp"
#include "runner/commands/sweep_options.hpp"

namespace sweep::commands {
namespace {

constexpr char kPlanExamples[] =
    "\nNothing is computed. What is there already is looked up in the output folder; times rest on "
    "what runs in\n"
    "that folder have measured. With --devices the run is simulated with the scheduler of real "
    "runs. Needs no\n"
    "MPI, GPU or LibTorch.\n"
    "\n"
    "  sweep_runner plan sweeps/table1.toml\n"
    "  sweep_runner plan sweeps/table1.toml --devices 8,64,512\n"
    "  sweep_runner plan sweeps/table1.toml --seeds 0-4 --only defence.name=none --trials\n"
    "  sweep_runner plan sweeps/table1.toml --json > plan.json\n";

class PlanCommand final : public Command {
 public:
  void add_options(CLI::App& app) override {
    add_sweep_options(app, request_);
    app.get_option("file")->required();
    app.add_option("--devices", devices_,
                   "Simulate the run on so many devices: how long it takes, how busy they are")
        ->type_name("N,N")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(CLI::Range(std::size_t{1}, std::size_t{100000}));
    auto* trials = app.add_flag("--trials", trials_, "One line for each trial, as a table");
    auto* csv = app.add_flag("--csv", csv_, "The same as CSV")->excludes(trials);
    app.add_flag("--json", json_, "Everything but the trials, as JSON")
        ->excludes(trials)
        ->excludes(csv);
  }

  int run() override {
    const auto format = json_     ? PlanFormat::json
                        : csv_    ? PlanFormat::csv
                        : trials_ ? PlanFormat::trials
                                  : PlanFormat::text;
    show_plan(request_, devices_, format, std::cout);
    return 0;
  }

 private:
  engine::RunRequest request_;
  std::vector<std::size_t> devices_;
  bool trials_ = false, csv_ = false, json_ = false;
};

const bool added_plan = add<PlanCommand>(
    "plan", Group::run, "What a run would make, what is there already, and how long it takes",
    kPlanExamples);

}  // namespace
}  // namespace sweep::commands
