#include "runner/commands/app.hpp"

#include <CLI/CLI.hpp>
#include <string>

#include "core/build_info.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/command_line/step_names.hpp"
#include "runner/commands/command.hpp"

namespace sweep::commands {

extern const char* const kStepsText;  // generated (runner/commands/CMakeLists.txt)

namespace {

constexpr char kDescription[] =
    "Runs a sweep of trainings, attacks and defences, or goes on where its last run stopped.\n"
    "\n"
    "  sweep_runner sweeps/quick/table1.toml             one process, all cores\n"
    "  sweep_runner --np 4 sweeps/quick/table1.toml      four ranks on this machine\n"
    "  mpirun -np 8 sweep_runner sweeps/table1.toml      one rank for each of 8 GPUs\n"
    "  sweep_runner sweeps/table1.toml --set dataset.root=data/isic2018 --set training.epochs=40\n";

const char* heading(Group group) {
  switch (group) {
    case Group::run:
      return "Run a sweep";
    case Group::look:
      return "Look";
    case Group::change:
      return "Change a run from another terminal";
    case Group::upkeep:
      return "Results and upkeep";
    case Group::help:
      return "Help";
  }
  return "";
}

}  // namespace

Program::Program() : app_(std::make_unique<CLI::App>(kDescription, "sweep_runner")) {
  app_->set_version_flag("--version", concat(kVersion, " (", kGitRevision, ")"),
                         "Print the version and the revision of the sources");
  app_->require_subcommand(0, 1);  // behind a verb, the name of another is an argument
  const Entry& entry = all().at(kDefaultVerb);
  app_->footer(entry.examples);
  default_verb_ = entry.make();
  default_verb_->add_options(*app_);
  add_verbs();
}

Program::~Program() = default;

/// In the order of their groups.
void Program::add_verbs() {
  for (const auto group : {Group::run, Group::look, Group::change, Group::upkeep, Group::help})
    for (const auto& [name, entry] : all()) {
      if (entry.group != group) continue;
      CLI::App* verb = app_->add_subcommand(name, entry.summary);
      verb->group(heading(group));
      verb->footer(entry.examples);
      verbs_.emplace_back(verb, entry.make());
      verbs_.back().second->add_options(*verb);
    }
  for (const auto& step : command_line::kSteps)
    app_->add_subcommand(step.name, step.summary)->group("Single steps on your own files");
}

int Program::run(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
    for (const auto& [verb, command] : verbs_)
      if (verb->parsed()) return command->run();
    return default_verb_->run();
  } catch (const CLI::ParseError& error) {
    return app_->exit(error) == 0 ? 0 : static_cast<int>(ExitCode::bad_input);
  } catch (const Error& error) {
    log_error(error.what());
    return static_cast<int>(ExitCode::bad_input);
  }
}

command_line::Usage Program::usage() const {
  auto usage = command_line::usage_of(*app_);
  const auto steps = Json::parse(kStepsText).get<command_line::Usage>();
  for (auto& verb : usage.verbs)
    for (const auto& step : steps.verbs)
      if (step.name == verb.name) {
        const std::string group = verb.group;
        verb = step;
        verb.group = group;
      }
  return usage;
}

}  // namespace sweep::commands
