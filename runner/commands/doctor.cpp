#include "runner/upkeep/doctor.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <optional>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/text_table.hpp"
#include "runner/commands/command.hpp"
#include "runner/commands/run_options.hpp"
#include "runner/commands/upkeep_options.hpp"
#include "runner/upkeep/store_scan.hpp"

namespace sweep::commands {
namespace {

constexpr char kDoctorExamples[] =
    "\nWithout --fix it only says what it finds and what --fix would do. A run that starts mends "
    "most "
    "of this by\n"
    "itself; doctor does it without running anything. With --fix no sweep may be running there.\n"
    "\n"
    "  sweep_runner doctor\n"
    "  sweep_runner doctor results --fix\n"
    "\nExit status: 0 nothing is wrong, or all was mended; 1 something is left; 2 bad input.\n";

class Doctor final : public Command {
 public:
  void add_options(CLI::App& app) override {
    add_folder(app, folder_);
    add_jobs(app, jobs_);
    app.add_flag("--fix", fix_, "Mend what can be mended");
    app.add_flag("--json", json_, "Print the findings as JSON");
  }

  int run() override {
    const storage::Store store(folder_);
    upkeep::scan_store(store);  // before the lock makes the folder
    const auto holder = storage::lock_holder(store);
    if (!json_ && holder) std::cout << "note: " << *holder << " works on the folder\n";
    std::optional<storage::FolderLock> lock;
    if (fix_) lock.emplace(store);
    const auto findings = upkeep::diagnose(store, holder.has_value(), jobs_or_cores(jobs_),
                                           shown_progress("examining"));
    std::size_t left = 0;
    Json list = Json::array();
    for (const auto& finding : findings) {
      const bool mended = fix_ && finding.mend && mend(finding);
      left += mended ? 0 : 1;
      if (json_)
        list.push_back({{"finding", finding.code},
                        {"path", finding.path.string()},
                        {"message", finding.message},
                        {"remedy", finding.remedy},
                        {"fixable", static_cast<bool>(finding.mend)},
                        {"fixed", mended}});
      else
        print(finding, mended);
    }
    if (json_)
      std::cout << dump(
          {{"findings", list}, {"left", left}, {"in_use_by", holder ? Json(*holder) : Json()}});
    else
      std::cout << summary(findings.size(), left) << "\n";
    return static_cast<int>(left == 0 ? ExitCode::ok : ExitCode::trials_failed);
  }

 private:
  /// What can't be mended is told, and what stands behind it mended all the same.
  static bool mend(const upkeep::Finding& finding) {
    try {
      finding.mend();
      return true;
    } catch (const Error& error) {
      log_warning(error.what());
      return false;
    }
  }

  void print(const upkeep::Finding& finding, bool mended) const {
    const std::string remedy = !finding.mend ? finding.remedy
                               : mended      ? concat("mended: it ", finding.remedy)
                                             : concat("with --fix it ", finding.remedy);
    std::cout << printable(finding.path.string()) << " " << printable(finding.message) << "; "
              << remedy << "\n";
  }

  static std::string summary(std::size_t all, std::size_t left) {
    if (all == 0) return "nothing is wrong";
    if (left == 0) return concat(all, all == 1 ? " finding" : " findings", ", all mended");
    return concat(all, all == 1 ? " finding, " : " findings, ", left, " left");
  }

  std::filesystem::path folder_ = "results";
  int jobs_ = 0;
  bool fix_ = false, json_ = false;
};

const bool added_doctor =
    add<Doctor>("doctor", Group::upkeep, "Find what is wrong in an output folder, and mend it",
                kDoctorExamples);

}  // namespace
}  // namespace sweep::commands
