#include <CLI/CLI.hpp>
#include <iostream>

#include "core/error.hpp"
#include "core/text_table.hpp"
#include "runner/commands/command.hpp"
#include "runner/commands/run_options.hpp"
#include "runner/commands/upkeep_options.hpp"
#include "runner/upkeep/exchange.hpp"

namespace sweep::commands {
namespace {

constexpr char kImportExamples[] =
    "\nEvery artifact is copied, its checksum verified, and its name compared with what it says it "
    "was made from;\n"
    "what does not fit is refused and named. What is here already is never replaced. A sweep that "
    "is run here\n"
    "afterwards takes what it needs.\n"
    "\n"
    "  sweep_runner import table1_results\n"
    "  sweep_runner import table1_results --out results/shared\n"
    "\nExit status: 0 all of it is here; 1 something was refused; 2 bad input.\n";

class Import final : public Command {
 public:
  void add_options(CLI::App& app) override {
    app.add_option("folder", folder_, "What `sweep_runner export` made, or any output folder")
        ->type_name("FOLDER")
        ->required();
    app.add_option("--out", out_, "The output folder that takes it")
        ->type_name("DIR")
        ->capture_default_str();
    add_jobs(app, jobs_);
    app.add_flag("--json", json_, "Print what was done as JSON");
  }

  int run() override {
    if (!std::filesystem::is_directory(folder_))
      throw InputError("'" + folder_.string() +
                       "' is no folder (an export is one); unpack it first if it is an archive");
    const storage::Store store(out_);
    const storage::FolderLock lock(store);
    const auto report =
        upkeep::import_folder(folder_, store, jobs_or_cores(jobs_), shown_progress("checking"));
    if (json_) {
      std::cout << dump({{"added", report.added},
                         {"known", report.known},
                         {"refused", report.refused},
                         {"runs", report.runs}});
    } else {
      for (const auto& line : report.refused) std::cout << "refused: " << printable(line) << "\n";
      for (const auto& run : report.runs) std::cout << "new run: " << run << "\n";
      std::cout << report.added << " artifacts are new here, " << report.known
                << " were here already, " << report.refused.size() << " files were refused\n";
    }
    return static_cast<int>(report.refused.empty() ? ExitCode::ok : ExitCode::trials_failed);
  }

 private:
  std::filesystem::path folder_, out_ = "results";
  int jobs_ = 0;
  bool json_ = false;
};

const bool added_import =
    add<Import>("import", Group::upkeep, "Take results of another machine into an output folder",
                kImportExamples);

}  // namespace
}  // namespace sweep::commands
