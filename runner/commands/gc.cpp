#include "runner/upkeep/gc.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "core/text.hpp"
#include "core/text_table.hpp"
#include "runner/commands/command.hpp"
#include "runner/commands/run_options.hpp"
#include "runner/commands/upkeep_options.hpp"
#include "runner/upkeep/store_scan.hpp"

namespace sweep::commands {
namespace {

constexpr char kGcExamples[] =
    "\nWithout --delete it only says what it would delete. It takes nothing that the plan of any "
    "run "
    "in the\n"
    "folder names, and nothing that no sweep has made. With --delete no sweep may be running "
    "there.\n"
    "\n"
    "  sweep_runner gc\n"
    "  sweep_runner gc results --delete\n"
    "  sweep_runner gc --forget old_table --logs-older-than 30 --delete\n";

struct Sum {
  std::size_t files = 0;
  std::uintmax_t bytes = 0;
};

class Gc final : public Command {
 public:
  void add_options(CLI::App& app) override {
    add_folder(app, folder_);
    app.add_flag("--delete", delete_, "Delete it");
    app.add_option("--forget", options_.forget,
                   "A run that keeps nothing any more: its files go as well; repeatable")
        ->type_name("RUN")
        ->allow_extra_args(false)
        ->take_all();
    app.add_option("--logs-older-than", options_.logs_older_than, "Logs of attempts, too")
        ->type_name("DAYS")
        ->check(CLI::Range(0.0, 1e6));
    app.add_flag("--files", files_, "Name every file");
    app.add_flag("--json", json_, "Print the files as JSON");
  }

  int run() override {
    const storage::Store store(folder_);
    upkeep::find_garbage(store, options_);  // before the lock makes the folder
    std::optional<storage::FolderLock> lock;
    if (delete_) lock.emplace(store);
    const auto garbage = upkeep::find_garbage(store, options_);
    if (delete_) upkeep::remove_garbage(store, options_, garbage);
    if (json_) {
      print_json(garbage);
    } else {
      print(garbage);
    }
    return 0;
  }

 private:
  void print_json(const std::vector<upkeep::Garbage>& garbage) const {
    Json list = Json::array();
    for (const auto& [what, path, bytes] : garbage)
      list.push_back({{"what", what}, {"path", path.string()}, {"bytes", bytes}});
    std::uintmax_t bytes_of_all = 0;
    for (const auto& file : garbage) bytes_of_all += file.bytes;
    std::cout << dump({{"deleted", delete_}, {"bytes", bytes_of_all}, {"garbage", list}});
  }

  void print(const std::vector<upkeep::Garbage>& garbage) const {
    std::map<std::string, Sum> sums;
    Sum all;
    for (const auto& [what, path, bytes] : garbage) {
      if (files_) std::cout << printable(path.string()) << "\n";
      for (Sum* sum : {&sums[what], &all}) {
        ++sum->files;
        sum->bytes += bytes;
      }
    }
    if (garbage.empty()) {
      std::cout << "nothing to delete: everything is needed by a run of the folder\n";
      return;
    }
    TextTable table{.columns = {{"what"}, {"files", true}, {"size", true}}};
    for (const auto& [what, sum] : sums)
      table.rows.push_back({what, concat(sum.files), upkeep::bytes_text(sum.bytes)});
    table.rows.push_back({"all", concat(all.files), upkeep::bytes_text(all.bytes)});
    std::cout << table.text()
              << (delete_ ? "deleted\n" : "nothing is deleted yet: --delete does it\n");
  }

  std::filesystem::path folder_ = "results";
  upkeep::GcOptions options_;
  bool delete_ = false, files_ = false, json_ = false;
};

const bool added_gc =
    add<Gc>("gc", Group::upkeep, "Delete what no sweep of a folder needs any more (dry by default)",
            kGcExamples);

}  // namespace
}  // namespace sweep::commands
