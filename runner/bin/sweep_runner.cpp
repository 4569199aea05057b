#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "cluster/host.hpp"
#include "core/build_info.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/bin/step_names.hpp"
#include "runner/commands/command.hpp"

namespace {

using sweep::ExitCode;
namespace commands = sweep::commands;

constexpr char kDescription[] =
    "Runs a sweep of trainings, attacks and defences, or goes on where its last run stopped.\n"
    "\n"
    "  sweep_runner sweeps/quick/table1.toml             one process, all cores\n"
    "  sweep_runner --np 4 sweeps/quick/table1.toml      four ranks on this machine\n"
    "  mpirun -np 8 sweep_runner sweeps/table1.toml      one rank for each of 8 GPUs\n"
    "  sweep_runner sweeps/table1.toml --set dataset.root=data/isic2018 --set training.epochs=40\n";

const char* heading(commands::Group group) {
  switch (group) {
    case commands::Group::run:
      return "Run a sweep";
    case commands::Group::look:
      return "Look";
    case commands::Group::change:
      return "Change a run from another terminal";
    case commands::Group::upkeep:
      return "Results and upkeep";
  }
  return "";
}

/// The verbs, in the order of their groups, as subcommands of `app`.
std::vector<std::pair<CLI::App*, std::unique_ptr<commands::Command>>> add_commands(CLI::App& app) {
  std::vector<std::pair<CLI::App*, std::unique_ptr<commands::Command>>> made;
  for (const auto group : {commands::Group::run, commands::Group::look, commands::Group::change,
                           commands::Group::upkeep})
    for (const auto& [name, entry] : commands::all()) {
      if (entry.group != group) continue;
      CLI::App* sub = app.add_subcommand(name, entry.summary);
      sub->group(heading(group));
      sub->footer(entry.examples);
      made.emplace_back(sub, entry.make());
      made.back().second->add_options(*sub);
    }
  for (const auto& [name, summary] : sweep::bin::kSteps)
    app.add_subcommand(name, summary)->group("Single steps on your own files");
  return made;
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
  sweep::init_log("");
  if (argc > 1 && sweep::bin::is_step(argv[1])) return become_executor(argv);
  CLI::App app(kDescription, "sweep_runner");
  app.set_version_flag("--version",
                       std::string(sweep::kVersion) + " (" + sweep::kGitRevision + ")");
  const auto& run_entry = commands::all().at("run");
  app.footer(run_entry.examples);
  const auto run_command = run_entry.make();
  run_command->add_options(app);
  const auto verbs = add_commands(app);
  try {
    app.parse(argc, argv);
    for (const auto& [sub, command] : verbs)
      if (sub->parsed()) return command->run();
    return run_command->run();
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::bad_input);
  } catch (const sweep::Error& error) {
    sweep::log_error(error.what());
    return static_cast<int>(ExitCode::bad_input);
  }
}
