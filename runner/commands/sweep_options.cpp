#include "runner/commands/sweep_options.hpp"

#include <CLI/CLI.hpp>

namespace sweep::commands {

void add_sweep_options(CLI::App& app, engine::RunRequest& request) {
  app.add_option("file", request.sweep.file, "The sweep file (TOML)")->type_name("FILE.toml");
  app.add_option("--set", request.sweep.overrides,
                 "Set any key of the file: training.epochs=8, dataset.root=/data; repeatable")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)  // what stands behind the value is the file
      ->take_all();
  app.add_option("--out", request.out, "Output folder: artifacts, journal, logs")
      ->type_name("DIR")
      ->capture_default_str();
}

}  // namespace sweep::commands
