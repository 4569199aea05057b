#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "runner/command_line/usage.hpp"
#include "runner/commands/command.hpp"
#include "runner/commands/run_options.hpp"
#include "runner/inspect/logs.hpp"
#include "runner/inspect/select.hpp"

namespace sweep::commands {
namespace {

constexpr std::chrono::milliseconds kPause{200};

constexpr char kLogsExamples[] =
    "\nWithout --task: the log of what runs, else of what has failed, else of what came last. "
    "Control characters\n"
    "are shown, not sent to the terminal.\n"
    "\n"
    "  sweep_runner logs 3\n"
    "  sweep_runner logs 3 -f                    as it grows, on to the next attempt, until the "
    "trial ends\n"
    "  sweep_runner logs 3 --task model --attempt 1 -n 20";

std::string kinds() {
  using storage::ArtifactKind;
  std::vector<std::string> names;
  for (const auto kind :
       {ArtifactKind::dataset, ArtifactKind::model, ArtifactKind::preprocessor,
        ArtifactKind::adversarial_shard, ArtifactKind::adversarial_set, ArtifactKind::evaluation})
    names.emplace_back(to_string(kind));
  return command_line::choices_text(names);
}

class Logs final : public Command {
 public:
  void add_options(CLI::App& app) override {
    app.add_option("trial", trial_, "Which trial: see sweep_runner list")
        ->type_name("TRIAL")
        ->required();
    add_run_options(app, where_);
    app.add_flag("-f,--follow", follow_, "Go on as the log grows, until the trial has ended");
    app.add_option("--task", request_.kind, "Of its task of this kind")
        ->type_name("KIND")
        ->check(CLI::Validator(kinds()));
    app.add_option("--attempt", request_.attempt, "Of this attempt; without it: the last")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    app.add_option("-n,--lines", request_.lines, "Only the last lines")
        ->type_name("LINES")
        ->check(CLI::PositiveNumber);
  }

  int run() override {
    inspect::RunView run = open_run(where_);
    const auto trial = inspect::find_trial(run.plan(), trial_);
    inspect::LogPrinter printer(run, trial, request_,
                                [](const std::string& text) { std::cout << text << std::flush; });
    if (!follow_) {
      printer.print();
      return 0;
    }
    printer.follow([] {
      std::this_thread::sleep_for(kPause);
      return static_cast<bool>(std::cout);
    });
    return 0;
  }

 private:
  inspect::Where where_;
  inspect::LogRequest request_;
  std::string trial_;
  bool follow_ = false;
};

const bool added_logs = add<Logs>(
    "logs", Group::look, "What the executor of a trial has printed; -f follows it", kLogsExamples);

}  // namespace
}  // namespace sweep::commands
