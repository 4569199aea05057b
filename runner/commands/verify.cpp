#include "runner/upkeep/verify.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

#include "cluster/host.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/commands/command.hpp"
#include "runner/commands/run_options.hpp"
#include "runner/commands/upkeep_options.hpp"
#include "runner/upkeep/recompute.hpp"

namespace sweep::commands {
namespace {

constexpr char kVerifyExamples[] =
    "\nReads every artifact: its checksum, whether it opens, whether its name is that of what it "
    "was made\n"
    "from, and whether that is there; and says what each run of the folder still lacks. Nothing is "
    "changed,\n"
    "so it may be used while a sweep runs.\n"
    "\n"
    "  sweep_runner verify\n"
    "  sweep_runner verify results --jobs 8\n"
    "  sweep_runner verify results --recompute 5\n"
    "  sweep_runner verify results --json | jq '.problems'\n"
    "\nExit status: 0 all good and complete; 1 something is damaged or missing; 2 bad input.\n";

class Verify final : public Command {
 public:
  void add_options(CLI::App& app) override {
    add_folder(app, folder_);
    add_jobs(app, jobs_);
    app.add_option("--recompute", recompute_,
                   "Also make N evaluations again, chosen at random, and compare them bit for bit")
        ->type_name("N")
        ->check(CLI::Range(std::size_t{1}, std::size_t{1000000}));
    app.add_flag("--json", json_, "Print the findings as JSON");
  }
  int run() override {
    const storage::Store store(folder_);
    auto report = upkeep::verify(store, jobs_or_cores(jobs_), shown_progress("checking"));
    if (recompute_ > 0) recompute(store, report);
    if (json_) {
      std::cout << dump(to_json(report));
    } else {
      print(report, std::cout);
    }
    return static_cast<int>(report.good_and_complete() ? ExitCode::ok : ExitCode::trials_failed);
  }

 private:
  void recompute(const storage::Store& store, upkeep::VerifyReport& report) const {
    const auto again = upkeep::recompute_evaluations(
        store, recompute_, cluster::available_cores(),
        [](const storage::ArtifactId& id) { log_info("making again: " + id.short_name()); });
    for (const auto& [id, problem] : again)
      if (!problem.empty())
        report.problems.push_back({"not_reproduced", store.artifact_path(id),
                                   concat(id.short_name(), " was made again: ", problem,
                                          "; compare the machines (sweep_runner show has its "
                                          "provenance)")});
    if (!json_) std::cout << again.size() << " evaluations were made again\n";
  }

  std::filesystem::path folder_ = "results";
  int jobs_ = 0;
  std::size_t recompute_ = 0;
  bool json_ = false;
};

const bool added_verify =
    add<Verify>("verify", Group::upkeep, "Check every artifact of a folder, and what its runs lack",
                kVerifyExamples);

}  // namespace
}  // namespace sweep::commands
