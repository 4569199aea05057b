#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cluster/host.hpp"
#include "cluster/message_bus.hpp"
#include "cluster/mpirun.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "runner/bin/step_names.hpp"
#include "runner/data/show_datasets.hpp"
#include "runner/engine/run.hpp"
#include "runner/plan/listing.hpp"

namespace {

using sweep::ExitCode;

constexpr char kDescription[] =
    "Runs a sweep of trainings, attacks and defences, or goes on where its last run stopped.\n"
    "\n"
    "  sweep_runner sweeps/quick/table1.toml             one process, all cores\n"
    "  sweep_runner --np 4 sweeps/quick/table1.toml      four ranks on this machine\n"
    "  mpirun -np 8 sweep_runner sweeps/table1.toml      one rank for each of 8 GPUs\n"
    "  sweep_runner sweeps/table1.toml --set dataset.root=data/isic2018 --set training.epochs=40\n";

constexpr char kFooter[] =
    "\nThe table of a sweep: aggregate_results. Everything that is finished is kept in the output "
    "folder and\n"
    "never made twice; Ctrl-C saves and ends, the same command goes on.\n"
    "\nExit status: 0 all done; 1 some trials failed; 2 bad input; 75 interrupted, the same "
    "command goes on.\n"
    "\nIn a container as root, plain mpirun needs --allow-run-as-root; with more ranks than cores "
    "it needs\n"
    "--oversubscribe, and --bind-to none lets a rank use more than one core. --np N does all of "
    "that.";

constexpr char kDataFooter[] =
    "\nThe card says what the dataset is made of: images of each class and split, which were "
    "skipped and why,\n"
    "checksums. The contact sheet is an image (PNG) with some images of each class. A later run "
    "of the sweep\n"
    "takes the prepared dataset as it is.\n"
    "\n"
    "  sweep_runner data sweeps/table1.toml --set dataset.root=data/isic2018\n"
    "  sweep_runner data sweeps/quick/table1.toml --sheet lesions.png\n"
    "  sweep_runner data sweeps/quick/table1.toml --json > card.json\n";

struct Arguments {
  sweep::engine::RunRequest request;
  int ranks = 0;
  std::string kind;  ///< what to list
  sweep::data::DataRequest data;
};

void add_sweep_options(CLI::App& app, sweep::engine::RunRequest& request) {
  app.add_option("file", request.file, "The sweep file (TOML)")->type_name("FILE.toml");
  app.add_option("--set", request.overrides,
                 "Set any key of the file: training.epochs=8, dataset.root=/data; repeatable")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)  // what stands behind the value is the file
      ->take_all();
  app.add_option("--out", request.out, "Output folder: artifacts, journal, logs")
      ->type_name("DIR")
      ->capture_default_str();
}

void add_run_options(CLI::App& app, Arguments& arguments) {
  add_sweep_options(app, arguments.request);
  app.add_option(
         "--np", arguments.ranks,
         "Start mpirun with N ranks on this machine; without it and without mpirun: one process")
      ->type_name("N")
      ->check(CLI::Range(1, 4096));
}

void add_data_options(CLI::App& app, sweep::data::DataRequest& request) {
  add_sweep_options(app, request.run);
  app.get_option("file")->required();
  app.add_option("--sheet", request.sheet, "Contact sheet; without it: DIR/datasets/NAME.png")
      ->type_name("FILE.png");
  app.add_flag("--json", request.json, "Print the card as JSON, one line for each dataset");
  app.footer(kDataFooter);
}

void add_list_options(CLI::App& app, Arguments& arguments) {
  app.add_option("kind", arguments.kind, sweep::join(sweep::plan::listed_kinds(), ", "))
      ->type_name("KIND")
      ->required();
}

/// This command again without --np, for mpirun.
std::vector<std::string> command_for_mpirun(const Arguments& arguments) {
  std::vector<std::string> command{(sweep::cluster::program_folder() / "sweep_runner").string(),
                                   "run", arguments.request.file.string(), "--out",
                                   arguments.request.out.string()};
  for (const auto& assignment : arguments.request.overrides) {
    command.emplace_back("--set");
    command.push_back(assignment);
  }
  return command;
}

int run(const Arguments& arguments) {
  if (arguments.request.file.empty())
    throw sweep::InputError(
        "no sweep file is given; try: sweep_runner sweeps/quick/table1.toml, or --help");
  const bool launched = sweep::cluster::started_by_launcher();
  if (arguments.ranks > 0 && launched)
    throw sweep::InputError(
        "--np was given although a launcher has started this process (there would be "
        "ranks inside of ranks); leave out either --np or mpirun");
  if (arguments.ranks > 0)
    return sweep::cluster::run_mpirun(arguments.ranks, command_for_mpirun(arguments));
  const auto bus = launched ? sweep::cluster::make_mpi_bus() : sweep::cluster::make_local_bus();
  if (bus->rank() != 0) sweep::init_log(sweep::concat("rank ", bus->rank()));
  const int status = sweep::engine::run(arguments.request, *bus);
  bus->finish();
  return status;
}

/// Goes on as the program that has LibTorch. Returns only when it can't be started.
int become_executor(char** argv) {
  const auto program = sweep::cluster::program_folder() / "trial_executor";
  ::execv(program.c_str(), argv);
  sweep::log_error(sweep::concat("cannot start '", program.string(), "' (", std::strerror(errno),
                                 "; it does the step ", argv[1],
                                 "); keep it in the folder of sweep_runner"));
  return static_cast<int>(ExitCode::bad_input);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(kDescription, "sweep_runner");
  app.footer(kFooter);
  app.set_version_flag("--version",
                       std::string(sweep::kVersion) + " (" + sweep::kGitRevision + ")");
  auto* run_command = app.add_subcommand("run", "The same as without a command");
  add_run_options(app, arguments);
  add_run_options(*run_command, arguments);
  auto* list_command = app.add_subcommand(
      "list", "What a sweep file can name, with its keys: list attacks, list models, ...");
  add_list_options(*list_command, arguments);
  auto* data_command = app.add_subcommand(
      "data",
      "Prepare the datasets of a sweep, show what they are made of and what they look like");
  add_data_options(*data_command, arguments.data);
  for (const auto& [name, summary] : sweep::bin::kSteps) app.add_subcommand(name, summary);
  sweep::init_log("");
  if (argc > 1 && sweep::bin::is_step(argv[1])) return become_executor(argv);
  try {
    app.parse(argc, argv);
    if (list_command->parsed()) {
      std::cout << sweep::plan::list(sweep::plan::built_in_catalogue(), arguments.kind);
      return 0;
    }
    if (data_command->parsed()) return sweep::data::show_datasets(arguments.data, std::cout);
    return run(arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::bad_input);
  } catch (const sweep::Error& error) {
    sweep::log_error(error.what());
    return static_cast<int>(ExitCode::bad_input);
  }
}
