#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "cluster/host.hpp"
#include "cluster/message_bus.hpp"
#include "cluster/mpirun.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/commands/command.hpp"
#include "runner/commands/sweep_options.hpp"
#include "runner/engine/run.hpp"
#include "runner/plan/request.hpp"
#include "runner/plan/resolved_toml.hpp"

namespace sweep::commands {
namespace {

constexpr char kExamples[] =
    "\nThe table of a sweep: aggregate_results. Everything that is finished is kept in the output "
    "folder and\n"
    "never made twice; Ctrl-C saves and ends, the same command goes on.\n"
    "\n"
    "  sweep_runner run sweeps/quick/table1.toml\n"
    "  sweep_runner run --np 4 sweeps/quick/table1.toml --set training.epochs=4\n"
    "  mpirun -np 8 sweep_runner run sweeps/table1.toml\n"
    "  sweep_runner run sweeps/table1.toml --only defence.name=none --max-trials 1\n"
    "  sweep_runner run sweeps/table1.toml --print-config > resolved.toml\n"
    "\nExit status: 0 all done; 1 some trials failed; 2 bad input; 75 interrupted, the same "
    "command goes on.\n"
    "\nIn a container as root, plain mpirun needs --allow-run-as-root; with more ranks than cores "
    "it needs\n"
    "--oversubscribe, and --bind-to none lets a rank use more than one core. --np N does all of "
    "that.";

class Run final : public Command {
 public:
  void add_options(CLI::App& app) override {
    add_sweep_options(app, request_);
    app.add_option("--np", ranks_,
                   "Start mpirun with N ranks on this machine; without it and without mpirun: one "
                   "process")
        ->type_name("N")
        ->check(CLI::Range(1, 4096));
    app.add_flag("--print-config", print_config_,
                 "Print the sweep with every key and every trial as a file that runs the same, and "
                 "end");
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
    if (ranks_ > 0 && !print_config_) return cluster::run_mpirun(ranks_, command_for_mpirun());
    const auto bus = launched ? cluster::make_mpi_bus() : cluster::make_local_bus();
    if (bus->rank() != 0) init_log(concat("rank ", bus->rank()));
    int status = 0;
    if (!print_config_) {
      status = engine::run(request_, *bus);
    } else if (bus->rank() == 0) {
      std::cout << plan::resolved_toml(plan::read_sweep(request_.sweep));
    }
    bus->finish();
    return status;
  }

 private:
  /// This command again without --np, for mpirun.
  std::vector<std::string> command_for_mpirun() const {
    std::vector<std::string> command{(cluster::program_folder() / "sweep_runner").string(), "run"};
    const auto arguments = sweep_arguments(request_);
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }

  engine::RunRequest request_;
  int ranks_ = 0;
  bool print_config_ = false;
};

const bool added = add<Run>("run", Group::run,
                            "Run a sweep, or go on where its last run stopped; the verb may be "
                            "left out",
                            kExamples);

}  // namespace
}  // namespace sweep::commands
