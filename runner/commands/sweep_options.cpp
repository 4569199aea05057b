#include "runner/commands/sweep_options.hpp"

#include <CLI/CLI.hpp>

#include "runner/plan/range.hpp"

namespace sweep::commands {
namespace {

/// An option that may be given again, each time with one value.
struct Repeated {
  const char* name;
  std::vector<std::string> plan::Request::*member;
  const char* type;
  const char* help;
};

constexpr Repeated kRepeated[] = {
    {"--set", &plan::Request::overrides, "KEY=VALUE",
     "Set any key of the file: training.epochs=8, dataset.root=/data; repeatable"},
    {"--axis", &plan::Request::axes, "KEY=V1,V2",
     "Add an axis to the grid, or replace one: training.learning_rate=0.1,0.01 or "
     "'training.seed={from=0, to=9, step=1}'; repeatable"},
    {"--only", &plan::Request::only, "KEY=V1,V2",
     "Only trials with one of these values: defence.name=none, 'defence.lambda_n={min=1}'; given "
     "again, trials have to meet all"},
    {"--exclude", &plan::Request::exclude, "KEY=V1,V2",
     "No trials with one of these values; repeatable"},
};

}  // namespace

void add_sweep_options(CLI::App& app, engine::RunRequest& request) {
  app.add_option("file", request.sweep.file, "The sweep file (TOML)")->type_name("FILE.toml");
  for (const auto& [name, member, type, help] : kRepeated)
    app.add_option(name, request.sweep.*member, help)
        ->type_name(type)
        ->allow_extra_args(false)  // what stands behind the value is the file
        ->take_all();
  app.add_option("--seeds", request.sweep.seeds,
                 "Every trial with each of these training.seed: 0-4 or 0,2,5")
      ->type_name("SEEDS");
  app.add_option("--max-trials", request.sweep.max_trials, "Only the first N trials")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, plan::kMaxTrials));
  app.add_option("--out", request.out, "Output folder: artifacts, journal, logs")
      ->type_name("DIR")
      ->capture_default_str();
}

}  // namespace sweep::commands
