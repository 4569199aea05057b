#include <CLI/CLI.hpp>
#include <iostream>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/commands/command.hpp"
#include "runner/commands/run_options.hpp"
#include "runner/upkeep/exchange.hpp"
#include "runner/upkeep/store_scan.hpp"

namespace sweep::commands {
namespace {

constexpr char kExportExamples[] =
    "\nThe new folder is an output folder like any other: aggregate_results, verify and run read "
    "it. "
    "Pack it as you\n"
    "like; `sweep_runner import` takes it on the other machine.\n"
    "\n"
    "  sweep_runner export --run table1 --to table1_results\n"
    "  sweep_runner export --run table1 --trial 0 --trial 3 --to two_trials\n"
    "  tar -cf table1_results.tar table1_results\n"
    "\nExit status: 0 all of it; 1 some artifacts are not there yet; 2 bad input.\n";

class Export final : public Command {
 public:
  void add_options(CLI::App& app) override {
    add_run_options(app, where_, true);
    app.add_option("--trial", trials_,
                   "Only what this trial needs: its id, label or row; repeatable")
        ->type_name("TRIAL")
        ->allow_extra_args(false)
        ->take_all();
    app.add_option("--to", folder_, "The new folder")->type_name("FOLDER")->required();
    app.add_flag("--json", json_, "Print what was done as JSON");
  }

  int run() override {
    const auto folder = inspect::find_run(where_);
    std::set<std::size_t> trials;
    if (!trials_.empty())
      for (const auto trial : find_trials(open_run(where_), trials_)) trials.insert(trial);
    const auto report = upkeep::export_run(folder, trials, folder_);
    print(report, folder.name);
    return static_cast<int>(report.missing == 0 ? ExitCode::ok : ExitCode::trials_failed);
  }

 private:
  void print(const upkeep::ExportReport& report, const std::string& run) const {
    if (json_) {
      std::cout << dump({{"run", run},
                         {"folder", folder_.string()},
                         {"artifacts", report.artifacts},
                         {"missing", report.missing},
                         {"bytes", report.bytes}});
      return;
    }
    std::cout << report.artifacts << " artifacts (" << upkeep::bytes_text(report.bytes)
              << ") and the plan of " << run << " are in '" << folder_.string() << "'\n";
    if (report.missing > 0)
      std::cout << report.missing << " artifacts of the run are not there yet\n";
  }

  inspect::Where where_;
  std::vector<std::string> trials_;
  std::filesystem::path folder_;
  bool json_ = false;
};

const bool added_export =
    add<Export>("export", Group::upkeep,
                "The results of a run, or of some trials, as a folder to share", kExportExamples);

}  // namespace
}  // namespace sweep::commands
