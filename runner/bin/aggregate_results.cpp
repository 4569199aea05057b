#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "runner/report/format.hpp"
#include "runner/report/load.hpp"

namespace {

using sweep::concat;
using sweep::ExitCode;
using sweep::InputError;
using sweep::report::FormatRegistry;
using sweep::report::Table;

constexpr char kDescription[] =
    "Prints the tables of the sweeps that ran in a folder, with the published values beside ours.\n"
    "It only reads: it may be used at any time, also while a sweep runs.\n"
    "\n"
    "  aggregate_results                                 every table of results/, on the terminal\n"
    "  aggregate_results --table table1 --out table1.csv one table as a file\n"
    "  aggregate_results runs/today --format md          Markdown, on standard output\n"
    "  aggregate_results --table table1 --strict         fails unless every cell is filled\n";

constexpr char kFooter[] =
    "\nAccuracies are in percent, the mean over the seeds that are there (n: how many, the fewest\n"
    "of the row). What is not there is called missing, never zero. In CSV, NAME_published is the\n"
    "paper's value, NAME_difference is ours minus it, and NAME_l2 is the attack's mean L2\n"
    "distance over all images.\n"
    "\nExit status: 0 printed; 1 with --strict when a cell lacks any of its seeds; 2 bad input.";

struct Arguments {
  std::filesystem::path folder = "results";
  std::filesystem::path out;
  std::string format;
  std::string table;
  bool strict = false;
};

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : FormatRegistry::instance().entries()) names.push_back(name);
  return names;
}

void add_options(CLI::App& app, Arguments& arguments) {
  app.add_option("dir", arguments.folder, "The folder that sweep_runner wrote to")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--table", arguments.table, "Only the table of this sweep")->type_name("NAME");
  app.add_option("--out", arguments.out,
                 "Write one table to a file; its extension names the format")
      ->type_name("FILE");
  app.add_option("--format", arguments.format,
                 concat(sweep::join(format_names(), ", "),
                        "; by default text on standard output and csv in files"))
      ->type_name("FORMAT");
  app.add_flag("--strict", arguments.strict,
               "Exit with 1 and say which cells are missing, if any are");
}

/// --format, else the extension of --out.
std::string format_name(const Arguments& arguments) {
  if (!arguments.format.empty()) return arguments.format;
  if (arguments.out.empty()) return "text";
  return arguments.out.has_extension() ? arguments.out.extension().string().substr(1) : "csv";
}

sweep::report::Format find_format(const std::string& name) {
  const auto& formats = FormatRegistry::instance().entries();
  if (const auto found = formats.find(name); found != formats.end()) return found->second.make;
  throw InputError(concat("unknown output format '", name, "'",
                          sweep::suggestion(name, format_names()), "; name one with --format"));
}

std::vector<std::string> wanted_sweeps(const sweep::storage::Store& store,
                                       const Arguments& arguments) {
  auto names = sweep::report::sweep_names(store);
  if (arguments.table.empty()) {
    if (names.size() > 1 && !arguments.out.empty())
      throw InputError(
          concat("'", arguments.folder.string(), "' has the tables of ", names.size(),
                 " sweeps (a file holds one); choose with --table: ", sweep::join(names, ", ")));
    return names;
  }
  if (std::find(names.begin(), names.end(), arguments.table) == names.end())
    throw InputError(concat("no sweep named '", arguments.table, "' has run in '",
                            arguments.folder.string(), "'",
                            sweep::suggestion(arguments.table, names)));
  return {arguments.table};
}

void write_file(const Arguments& arguments, const Table& table, const std::string& text) {
  sweep::write_atomically(arguments.out, text);
  std::cout << "wrote " << arguments.out.string() << " (" << table.name << ": " << table.rows.size()
            << " rows, " << table.columns.size() << " columns, " << missing_cells(table).size()
            << " of " << cell_count(table) << " cells missing)\n";
}

/// Names every cell that --strict objects to.
ExitCode check_complete(const std::vector<Table>& tables) {
  ExitCode code = ExitCode::ok;
  const auto complain = [&](const Table& table, const std::string& what) {
    sweep::log_error(concat(table.name, ": ", what));
    code = ExitCode::trials_failed;
  };
  for (const auto& table : tables) {
    for (const auto& cell : missing_cells(table)) complain(table, cell + ": missing");
    for (const auto& cell : partial_cells(table)) complain(table, cell);
  }
  return code;
}

ExitCode run(const Arguments& arguments) {
  const auto format = find_format(format_name(arguments));
  const sweep::storage::Store store(arguments.folder);
  std::vector<Table> tables;
  for (const auto& name : wanted_sweeps(store, arguments))
    tables.push_back(sweep::report::load_table(store, name));
  for (const auto& table : tables) {
    for (const auto& problem : table.problems) sweep::log_warning(problem);
    if (arguments.out.empty()) {
      std::cout << (&table == &tables.front() ? "" : "\n") << format(table);
    } else {
      write_file(arguments, table, format(table));
    }
  }
  if (!std::cout.flush())
    throw InputError(
        "the table could not be written to standard output; free space or use --out FILE");
  return arguments.strict ? check_complete(tables) : ExitCode::ok;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(kDescription, "aggregate_results");
  app.footer(kFooter);
  app.set_version_flag("--version", concat(sweep::kVersion, " (", sweep::kGitRevision, ")"));
  add_options(app, arguments);
  sweep::init_log("");
  try {
    app.parse(argc, argv);
    return static_cast<int>(run(arguments));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::bad_input);
  } catch (const sweep::Error& error) {
    sweep::log_error(error.what());
    return static_cast<int>(ExitCode::bad_input);
  }
}
