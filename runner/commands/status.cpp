#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <optional>
#include <thread>

#include "cluster/host.hpp"
#include "core/text.hpp"
#include "core/text_table.hpp"
#include "runner/commands/command.hpp"
#include "runner/commands/run_options.hpp"
#include "runner/inspect/status_report.hpp"
#include "runner/slurm/client.hpp"
#include "runner/slurm/script.hpp"

namespace sweep::commands {
namespace {

constexpr char kStatusExamples[] =
    "\nReads the files of the run: it may be on another machine, with the folder in common.\n"
    "\n"
    "  sweep_runner status                       the run in results/\n"
    "  sweep_runner status results --watch       again every 2 s, until it ends\n"
    "  sweep_runner status sweeps/table1.toml --out results --json\n"
    "\nExit status: 0 it runs or is finished, nothing has failed; 1 something has failed; 2 bad "
    "input;\n"
    "75 it is not done and has ended or died: the same command goes on.";

class Status final : public Command {
 public:
  void add_options(CLI::App& app) override {
    add_run_options(app, where_, true);
    app.add_flag("--watch{2}", watch_,  // a flag: an optional value would swallow DIR
                 "Again every 2 s (--watch=SECONDS) until the run has ended")
        ->type_name("SECONDS")
        ->check(CLI::Range(0.1, 86400.0));
    app.add_flag("--json", json_, "For tools; with --watch one line each time");
  }

  int run() override {
    if (!watch_.empty()) watch_s_ = std::stod(watch_);
    inspect::RunView run = open_run(where_);
    const bool redraw = watch_s_ > 0 && !json_ && cluster::shows_on_terminal();
    for (;;) {
      std::cout << (redraw ? "\x1b[H\x1b[2J" : "") << text(run) << std::flush;
      const bool goes_on = run.active() || run.state() == inspect::RunState::not_started;
      if (watch_s_ <= 0 || !goes_on || !std::cout) return inspect::exit_code(run);
      std::this_thread::sleep_for(std::chrono::duration<double>(watch_s_));
      run.refresh();
      if (!redraw && !json_) std::cout << '\n';
    }
  }

 private:
  std::string text(const inspect::RunView& run) {
    ask_slurm(run);
    if (!json_) return inspect::status_text(run) + jobs_text();
    Json json = inspect::status_json(run);
    if (jobs_)
      for (const auto& job : *jobs_)
        json["jobs"].push_back({{"id", job.id},
                                {"state", job.state},
                                {"time_left", job.time_left},
                                {"reason", job.reason}});
    if (watch_s_ <= 0) return dump(json);
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }

  /// Not at every look: all users of a cluster ask the same daemon.
  void ask_slurm(const inspect::RunView& run) {
    const auto now = std::chrono::steady_clock::now();
    if (asked_ && now - *asked_ < std::chrono::seconds(30)) return;
    asked_ = now;
    jobs_ = slurm::ask_queue(slurm::submitted_jobs(slurm::jobs_folder(run.folder().path)));
  }

  std::string jobs_text() const {
    if (!jobs_) return "SLURM jobs: squeue does not answer here\n";
    std::string text;
    for (const auto& job : *jobs_)
      text += printable(concat("SLURM job ", job.id, "  ", job.state, "  ",
                               job.state == "PENDING" ? job.reason : job.time_left + " left")) +
              "\n";
    return text;
  }

  inspect::Where where_;
  std::optional<std::vector<slurm::JobState>> jobs_;  ///< nothing: SLURM can't be asked
  std::optional<std::chrono::steady_clock::time_point> asked_;
  std::string watch_;
  double watch_s_ = 0;
  bool json_ = false;
};

const bool added_status =
    add<Status>("status", Group::look, "How a run stands: progress, devices, failures, time to go",
                kStatusExamples);

}  // namespace
}  // namespace sweep::commands
