#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "cluster/host.hpp"
#include "cluster/message_bus.hpp"
#include "cluster/mpirun.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/commands/arguments_again.hpp"
#include "runner/commands/command.hpp"
#include "runner/commands/show_plan.hpp"
#include "runner/commands/sweep_options.hpp"
#include "runner/engine/run.hpp"
#include "runner/plan/request.hpp"
#include "runner/plan/resolved_toml.hpp"

namespace sweep::commands {
namespace {

constexpr char kRunExamples[] =
    "\nThe table of a sweep: aggregate_results. Everything that is finished is kept in the output "
    "folder and\n"
    "never made twice; Ctrl-C saves and ends, the same command goes on. What has failed for good "
    "waits for\n"
    "--retry-failed.\n"
    "\n"
    "  sweep_runner run sweeps/quick/table1.toml\n"
    "  sweep_runner run --np 4 sweeps/quick/table1.toml --set training.epochs=4\n"
    "  mpirun -np 8 sweep_runner run sweeps/table1.toml\n"
    "  sweep_runner run --np 4 sweeps/quick/table1.toml --progress json > events.jsonl\n"
    "  sweep_runner run sweeps/table1.toml --join         one of several runs in one folder\n"
    "  sweep_runner run sweeps/table1.toml --only defence.name=none --max-trials 1\n"
    "  sweep_runner run sweeps/table1.toml --print-config > resolved.toml\n"
    "\nFrom another terminal: sweep_runner status, list, show, logs, drain, cancel, retry, "
    "set-priority.\n"
    "\nExit status: 0 all done; 1 some trials failed or were cancelled; 2 bad input; 75 "
    "interrupted, the same\n"
    "command goes on.\n"
    "\nIn a container as root, plain mpirun needs --allow-run-as-root; with more ranks than cores "
    "it needs\n"
    "--oversubscribe, and --bind-to none lets a rank use more than one core. --np N does all of "
    "that.";

const std::map<std::string, engine::View> kViews{{"auto", engine::View::automatic},
                                                 {"live", engine::View::live},
                                                 {"plain", engine::View::plain},
                                                 {"json", engine::View::json}};

/// Options that are short for a key of [run].
struct Shorthand {
  const char* option;
  const char* key;
  const char* type;
  const char* summary;
};

constexpr Shorthand kShorthands[] = {
    {"--retries", "run.retries", "N", "Further attempts at a task whose device or rank was lost"},
    {"--max-failures", "run.max_failures", "N|P%", "Failed trials that end the run"},
    {"--max-concurrent", "run.max_concurrent", "N", "Tasks that run at once"},
    {"--devices-per-trial,--gpus-per-trial", "run.devices_per_trial", "N",
     "Ranks that train one network together"},
};

[[noreturn]] void leave_without_the_others(int status) {
  log_error(
      "a rank does not answer at the end of the run (stopped, or cut off); the run ends without "
      "it, and nothing is lost: all that the run reported is written");
  std::cout.flush();
  ::_exit(status);
}

class Run final : public Command {
 public:
  void add_options(CLI::App& app) override {
    app_ = &app;
    add_sweep_options(app, request_);
    app.add_option("--np", ranks_,
                   "Start mpirun with N ranks on this machine; without it and without mpirun: one "
                   "process")
        ->type_name("N")
        ->check(CLI::Range(1, 4096));
    app.add_flag("-n,--dry-run", dry_run_, "Only say what the run would do, as `plan` does");
    app.add_flag("--print-config", print_config_,
                 "Print the sweep with every key and every trial as a file that runs the same, and "
                 "end");
    app.add_flag("--join", request_.join,
                 "Share the output folder with other runs that were started so: each artifact is "
                 "made by one of them");
    app.add_flag("--retry-failed", request_.retry_failed,
                 "Take up again what failed or was cancelled in earlier runs");
    auto* fail_fast =
        app.add_flag("--fail-fast", fail_fast_, "End the run when the first task fails for good");
    app.add_flag("--keep-going", keep_going_,
                 "Go on with all that does not depend on what failed (this is the default)")
        ->excludes(fail_fast);
    for (const auto& shorthand : kShorthands)
      app.add_option(shorthand.option, values_[shorthand.key],
                     concat(shorthand.summary, " (", shorthand.key, ")"))
          ->type_name(shorthand.type);
    app.add_option("--progress", view_, "How to show the run: auto, live, plain or json")
        ->type_name("VIEW")
        ->check(CLI::IsMember({"auto", "live", "plain", "json"}))
        ->capture_default_str();
    app.add_option("--executor", request_.executor, "Program that does the tasks")
        ->group("");  // for tests and benchmarks of everything around the tasks
  }

  int run() override {
    if (request_.sweep.file.empty())
      throw InputError(
          "no sweep file is given; try: sweep_runner sweeps/quick/table1.toml, or --help");
    const bool launched = cluster::started_by_launcher();
    if (ranks_ > 0 && launched)
      throw InputError(
          "--np was given although a launcher has started this process (there would be ranks "
          "inside of ranks); leave out either --np or mpirun");
    const bool only_shows = dry_run_ || print_config_;
    if (ranks_ > 0 && !only_shows) return cluster::run_mpirun(ranks_, command_for_mpirun());
    add_shorthands();
    request_.view = kViews.at(view_);
    const auto bus = launched ? cluster::load_mpi_bus() : cluster::make_local_bus();
    if (bus->rank() != 0) init_log(concat("rank ", bus->rank()));
    int status = 0;
    if (!only_shows)
      status = engine::run(request_, *bus);
    else if (bus->rank() == 0)
      show(std::max(ranks_, bus->size()));
    if (!bus->finish()) leave_without_the_others(status);
    return status;
  }

 private:
  void show(int devices) const {
    if (dry_run_)
      show_plan(request_, {static_cast<std::size_t>(devices)}, PlanFormat::text, std::cout);
    else
      std::cout << plan::resolved_toml(plan::read_sweep(request_.sweep));
  }

  /// This command again without --np, for mpirun.
  std::vector<std::string> command_for_mpirun() const {
    std::vector<std::string> command{(cluster::program_folder() / "sweep_runner").string(), "run"};
    for (auto& argument : arguments_again(*app_, {"np"})) command.push_back(std::move(argument));
    return command;
  }

  void add_shorthands() {
    for (const auto& [option, key, type, summary] : kShorthands)
      if (const auto& value = values_[key]; !value.empty())
        // A text is quoted.
        override_key(key, std::string_view(key) == "run.max_failures" ? Json(value).dump() : value,
                     option);
    if (fail_fast_) override_key("run.fail_fast", "true", "--fail-fast");
    if (keep_going_) {
      override_key("run.fail_fast", "false", "--keep-going");
      if (values_["run.max_failures"].empty())
        override_key("run.max_failures", "''", "--keep-going");
    }
  }

  void override_key(const std::string& key, const std::string& value, const std::string& option) {
    auto& overrides = request_.sweep.overrides;
    for (const auto& given : overrides)
      if (key_of_override(given) == key)
        throw InputError(concat(option, " and --set ", given, " both say what ", key,
                                " is (only one of them could count); leave one of them out"));
    overrides.push_back(concat(key, "=", value));
  }

  CLI::App* app_ = nullptr;
  engine::RunRequest request_;
  int ranks_ = 0;
  bool fail_fast_ = false, keep_going_ = false;
  std::map<std::string, std::string> values_;  ///< key of [run] -> value of its shorthand
  std::string view_ = "auto";
  bool print_config_ = false, dry_run_ = false;
};

const bool added_run = add<Run>("run", Group::run,
                                "Run a sweep, or go on where its last run stopped; the verb may be "
                                "left out",
                                kRunExamples);

}  // namespace
}  // namespace sweep::commands
