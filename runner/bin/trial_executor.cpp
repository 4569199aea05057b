#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "cluster/executor_process.hpp"
#include "core/build_info.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "runner/bin/step_commands.hpp"
#include "runner/command_line/step_names.hpp"
#include "runner/tasks/executor.hpp"
#include "trainer/describe.hpp"

namespace {

int guarded(const std::function<int()>& action) {
  try {
    return action();
  } catch (const sweep::Error& error) {
    sweep::log_error(error.what());
    return static_cast<int>(sweep::ExitCode::bad_input);
  } catch (const std::exception& error) {
    sweep::log_error(error.what());
    return static_cast<int>(sweep::ExitCode::trials_failed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && sweep::command_line::is_step(argv[1])) return sweep::bin::run_step(argc, argv);
  CLI::App app(
      "trial_executor: prepares datasets, trains, attacks and evaluates for sweep_runner, which\n"
      "starts it. Nobody needs to start it by hand.",
      "trial_executor");
  app.set_version_flag("--version", sweep::kVersion);
  app.require_subcommand(1);
  auto* describe = app.add_subcommand("describe",
                                      "Print every dataset, model, defence and attack with its "
                                      "options, as JSON");
  auto* describe_steps =
      app.add_subcommand("describe-steps", "Print the single steps with their options, as JSON");
  auto* work = app.add_subcommand("work", "Serve tasks over the socket on file descriptor 3");
  int threads = 1;
  std::string device = "auto";
  work->add_option("--threads", threads, "CPU threads")->check(CLI::Range(1, 4096));
  work->add_option("--device", device, "auto, cpu or cuda");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(sweep::ExitCode::bad_input);
  }
  sweep::init_log("executor");
  return guarded([&] {
    if (describe->parsed()) {
      std::cout << sweep::trainer::describe_plugins().dump();
      return 0;
    }
    if (describe_steps->parsed()) {
      std::cout << sweep::bin::describe_steps();
      return 0;
    }
    (void)work;
    return sweep::tasks::serve(sweep::cluster::ExecutorProcess::kChildSocket, threads, device);
  });
}
