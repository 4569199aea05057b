#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/text_table.hpp"
#include "runner/commands/command.hpp"
#include "runner/commands/run_options.hpp"
#include "runner/upkeep/difference.hpp"

namespace sweep::commands {
namespace {

constexpr char kDiffExamples[] =
    "\nCompares what the sweeps say, the accuracies of their tables, and artifacts that both have: "
    "equal names\n"
    "with other contents tell that something does not give the same results everywhere.\n"
    "\n"
    "  sweep_runner diff results/runs/table1 other/runs/table1\n"
    "  sweep_runner diff monday tuesday --json      output folders with one run each\n"
    "  sweep_runner diff results:table1 results:table1_long\n"
    "\nExit status: 0 equal; 1 different; 2 bad input.\n";

/// "results:table1" is the run "table1" of the output folder "results", unless there is a folder of
/// that name.
inspect::Where where_of(const std::string& run) {
  const auto colon = run.rfind(':');
  std::error_code error;
  if (colon == std::string::npos || std::filesystem::exists(run, error)) return {.dir = run};
  return {.dir = run.substr(0, colon), .run = run.substr(colon + 1)};
}

class Diff final : public Command {
 public:
  void add_options(CLI::App& app) override {
    app.add_option("a", a_, "A run's folder, an output folder with one run, or DIR:RUN")
        ->type_name("RUN_A")
        ->required();
    app.add_option("b", b_, "The other one")->type_name("RUN_B")->required();
    app.add_flag("--all", all_, "Show cells that are equal, too");
    app.add_flag("--json", json_, "Print everything as JSON");
  }

  int run() override {
    const auto difference =
        upkeep::compare(inspect::find_run(where_of(a_)), inspect::find_run(where_of(b_)));
    if (json_) {
      print_json(difference);
    } else {
      print(difference);
    }
    return static_cast<int>(difference.any() ? ExitCode::trials_failed : ExitCode::ok);
  }

 private:
  static void print_json(const upkeep::Difference& difference) {
    Json cells = Json::array(), unequal = Json::array();
    for (const auto& cell : difference.cells)
      cells.push_back({{"row", cell.row},
                       {"column", cell.column},
                       {"a", optional_json(cell.a)},
                       {"b", optional_json(cell.b)}});
    for (const auto& id : difference.unequal)
      unequal.push_back({{"kind", storage::to_string(id.kind)}, {"hash", id.hash}});
    std::cout << dump({{"different", difference.any()},
                       {"changes", difference.changes},
                       {"only_a", difference.only_a},
                       {"only_b", difference.only_b},
                       {"cells", cells},
                       {"common_artifacts", difference.common},
                       {"unequal_artifacts", unequal},
                       {"problems", difference.problems}});
  }

  void print(const upkeep::Difference& difference) const {
    print_list("what the sweeps say differs:", difference.changes);
    print_list("only in A:", difference.only_a);
    print_list("only in B:", difference.only_b);
    print_list("can't be compared:", difference.problems);
    print_cells(difference.cells);
    std::cout << difference.common << " artifacts are in both";
    if (difference.unequal.empty()) {
      std::cout << (difference.problems.empty() ? ", with equal contents\n" : "\n");
    } else {
      std::cout << "; these have other contents, though they were made from the same:\n";
      for (const auto& id : difference.unequal)
        std::cout << "  " << storage::to_string(id.kind) << " " << id.hash << "\n";
    }
    std::cout << (difference.any() ? "different\n" : "equal\n");
  }

  static void print_list(const std::string& heading, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    std::cout << heading << "\n";
    for (const auto& line : lines) std::cout << "  " << printable(line) << "\n";
    std::cout << "\n";
  }

  void print_cells(const std::vector<upkeep::CellDifference>& cells) const {
    const auto text = [](const std::optional<double>& value) {
      return value ? fixed(*value, 2) : std::string("missing");
    };
    TextTable table{.columns = {{"row"}, {"column"}, {"A", true}, {"B", true}, {"B - A", true}}};
    for (const auto& cell : cells)
      if (all_ || cell.differs())
        table.rows.push_back({cell.row, cell.column, text(cell.a), text(cell.b),
                              cell.a && cell.b ? fixed(*cell.b - *cell.a, 2) : ""});
    if (!table.rows.empty()) std::cout << "accuracy, percent\n" << table.text() << "\n";
  }

  std::string a_, b_;
  bool all_ = false, json_ = false;
};

const bool added_diff =
    add<Diff>("diff", Group::upkeep,
              "What tells two runs apart: their sweeps, tables and artifacts", kDiffExamples);

}  // namespace
}  // namespace sweep::commands
