#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/atomic_file.hpp"
#include "core/build_info.hpp"
#include "core/document.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/command_line/man_page.hpp"
#include "runner/report/format.hpp"
#include "runner/report/grouping.hpp"
#include "runner/report/load.hpp"
#include "runner/report/missing.hpp"

namespace {

using sweep::concat;
using sweep::ExitCode;
using sweep::InputError;
using sweep::report::Artifacts;
using sweep::report::Format;
using sweep::report::FormatRegistry;
using sweep::report::Plan;
using sweep::report::Table;
using sweep::report::View;
using sweep::storage::Store;

constexpr char kDescription[] =
    "Prints the tables of the sweeps that ran in a folder, with the published values beside ours.\n"
    "It only reads: it may be used at any time, also while a sweep runs.\n"
    "\n"
    "  aggregate_results                                 every table of results/, on the terminal\n"
    "  aggregate_results --table table1 --out table1.csv one table as a file\n"
    "  aggregate_results --table table1 --table table4 --out tables.tex\n"
    "                                                    two tables, as pdflatex wants them\n"
    "  aggregate_results runs/today --format md          Markdown, on standard output\n"
    "  aggregate_results monday tuesday --format json    everything of two folders, for programs\n"
    "  aggregate_results --table table1 --compare        does the published value lie within what\n"
    "                                                    our number of images can tell?\n"
    "  aggregate_results --stat mean,std                 84.38 \u00b1 0.52, over the seeds\n"
    "  aggregate_results --stat success_of_correct       another number in the cells\n"
    "  aggregate_results --group-by model.name           one row per model, over all its trials\n"
    "  aggregate_results --table table1 --missing rest.toml && sweep_runner rest.toml\n"
    "                                                    computes the empty cells and nothing "
    "else\n"
    "  aggregate_results --table table1 --strict         fails unless every cell is filled\n";

constexpr char kFooter[] =
    "\nAccuracies are in percent, the mean over the seeds that are there (n: how many, the fewest\n"
    "of the row). What is not there is called missing, never zero. In CSV, NAME_published is the\n"
    "paper's value, NAME_difference is ours minus it, and NAME_l2 is the attack's mean L2\n"
    "distance over all images. docs/metrics.md defines every number, docs/aggregate_results.md\n"
    "the formats.\n"
    "\nExit status: 0 printed; 1 with --strict when a cell lacks any of its seeds; 2 bad input.";

struct Arguments {
  std::vector<std::filesystem::path> folders{"results"};
  std::filesystem::path out, missing, man_pages;
  std::string format;
  std::vector<std::string> tables, stat, group_by;
  bool compare = false, intervals = false, strict = false;
};

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : FormatRegistry::instance().entries()) names.push_back(name);
  return names;
}

void add_options(CLI::App& app, Arguments& arguments) {
  app.add_option("dir", arguments.folders, "The folders that sweep_runner wrote to")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--table", arguments.tables,
                 "Only the table of this sweep; may be repeated (default: all)")
      ->type_name("NAME")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--out", arguments.out,
                 "Write to a file; its extension names the format: csv, md, tex, json, txt")
      ->type_name("FILE");
  app.add_option("--format", arguments.format,
                 concat(sweep::join(format_names(), ", "),
                        "; by default text on standard output and csv in files"))
      ->type_name("FORMAT");
  app.add_flag("--compare", arguments.compare,
               "Show the difference to the published values, our Wilson interval, and whether the "
               "published value lies in it");
  app.add_option(
         "--stat", arguments.stat,
         concat("What cells show, in the formats for people: one metric (",
                sweep::join(sweep::report::stat_words(), ", "), "; the last three are over seeds)"))
      ->type_name("WORD,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_flag("--intervals", arguments.intervals,
               "Show Wilson's 95 % intervals beside accuracies and rates");
  app.add_option("--group-by", arguments.group_by,
                 "One row for each value of a key of the spec, such as training.seed or "
                 "model.name, over all trials that have it")
      ->type_name("KEY,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--missing", arguments.missing,
                 "Write a sweep file that computes the empty cells, and nothing else")
      ->type_name("FILE.toml");
  app.add_option("--man-pages", arguments.man_pages, "Write the manual page to this folder")
      ->type_name("DIR")
      ->group("");  // for the build
  app.add_flag("--strict", arguments.strict,
               "Exit with 1 and say which cells are missing, if any are");
}

/// --format, else the extension of --out.
std::string format_name(const Arguments& arguments) {
  if (!arguments.format.empty()) return arguments.format;
  if (arguments.out.empty()) return "text";
  return arguments.out.has_extension() ? arguments.out.extension().string().substr(1) : "csv";
}

Format find_format(const std::string& wanted) {
  std::vector<std::string> known;
  for (const auto& [name, entry] : FormatRegistry::instance().entries()) {
    const auto& extensions = entry.make.extensions;
    if (wanted == name ||
        std::find(extensions.begin(), extensions.end(), wanted) != extensions.end())
      return entry.make;
    known.push_back(name);
    known.insert(known.end(), extensions.begin(), extensions.end());
  }
  throw InputError(concat("unknown output format '", wanted, "'", sweep::suggestion(wanted, known),
                          "; name one with --format"));
}

View view_of(const Arguments& arguments) {
  View view = sweep::report::parse_stat(arguments.stat);
  view.compare = arguments.compare;
  view.intervals = arguments.intervals;
  if (view.compare && view.metric != sweep::report::Metric::accuracy)
    throw InputError(concat("--compare does not go with --stat ", info(view.metric).name,
                            " (the paper publishes accuracies); leave one out"));
  return view;
}

/// A sweep that was asked for.
struct Selected {
  std::filesystem::path folder;
  std::string name;
};

std::string folders_text(const Arguments& arguments) {
  std::vector<std::string> names;
  for (const auto& folder : arguments.folders) names.push_back("'" + folder.string() + "'");
  return sweep::join(names, ", ");
}

/// In the order of the folders and names. Every --table is found somewhere.
std::vector<Selected> selected_sweeps(const Arguments& arguments) {
  std::vector<Selected> selected;
  std::vector<std::string> found;
  const auto wanted = [&](const std::string& name) {
    const auto& tables = arguments.tables;
    return tables.empty() || tables == std::vector<std::string>{"all"} ||
           std::find(tables.begin(), tables.end(), name) != tables.end();
  };
  for (const auto& folder : arguments.folders)
    for (const auto& name : sweep::report::sweep_names(Store(folder))) {
      found.push_back(name);
      if (wanted(name)) selected.push_back({folder, name});
    }
  for (const auto& name : arguments.tables)
    if (name != "all" && std::find(found.begin(), found.end(), name) == found.end())
      throw InputError(concat("no sweep named '", name, "' has run in ", folders_text(arguments),
                              sweep::suggestion(name, found)));
  return selected;
}

/// A table as it is shown, and what a sweep for its gaps is made from.
struct Loaded {
  Selected source;
  Table table;
  std::optional<sweep::Json> filling;
};

std::vector<Loaded> load_stores(const Arguments& arguments) {
  std::map<std::filesystem::path, Artifacts> stores;
  std::vector<Loaded> all;
  for (const auto& source : selected_sweeps(arguments)) {
    auto& artifacts = stores.try_emplace(source.folder, Store(source.folder)).first->second;
    Plan plan = sweep::report::load_plan(Store(source.folder), source.name);
    Loaded loaded{source, load_table(plan, artifacts), {}};
    if (!arguments.missing.empty()) loaded.filling = filling_sweep(plan, loaded.table);
    if (!arguments.group_by.empty())
      loaded.table = load_table(grouped(std::move(plan), arguments.group_by), artifacts);
    loaded.table.folder = source.folder.string();
    if (arguments.folders.size() > 1)
      loaded.table.title += concat(" (", source.folder.string(), ")");
    all.push_back(std::move(loaded));
  }
  return all;
}

std::vector<std::string> names_of(const std::vector<Loaded>& all) {
  std::vector<std::string> names;
  for (const auto& loaded : all) names.push_back(loaded.source.name);
  return names;
}

void check_one_table(const Arguments& arguments, const Format& format,
                     const std::vector<Selected>& selected) {
  if (format.many || arguments.out.empty() || selected.size() <= 1) return;
  std::vector<std::string> names;
  for (const auto& source : selected) names.push_back(source.name);
  throw InputError(
      concat(folders_text(arguments), " has the tables of ", selected.size(),
             " sweeps (such a file holds one); choose with --table: ", sweep::join(names, ", ")));
}

void write_file(const Arguments& arguments, const std::vector<Table>& tables,
                const std::string& text) {
  sweep::write_atomically(arguments.out, text);
  std::size_t cells = 0, missing = 0;
  for (const auto& table : tables) {
    cells += cell_count(table);
    missing += missing_cells(table).size();
  }
  const std::string what = tables.size() == 1
                               ? concat(tables.front().name, ": ", tables.front().rows.size(),
                                        " rows, ", tables.front().columns.size(), " columns")
                               : concat(tables.size(), " tables");
  std::cout << "wrote " << arguments.out.string() << " (" << what << ", " << missing << " of "
            << cells << " cells missing)\n";
}

/// The file behind --missing: that of the one table that has empty cells.
void write_filling_sweep(const Arguments& arguments, std::vector<Loaded> all) {
  std::erase_if(all, [](const Loaded& loaded) { return !loaded.filling; });
  if (all.empty()) {
    sweep::log_warning(
        concat("no cell is missing: ", arguments.missing.string(), " was not written"));
    return;
  }
  if (all.size() > 1)
    throw InputError(concat(all.size(),
                            " tables have missing cells (a sweep file fills one); "
                            "choose with --table: ",
                            sweep::join(names_of(all), ", ")));
  const Loaded& loaded = all.front();
  const std::string file = arguments.missing.string(), folder = loaded.source.folder.string();
  const std::string text = concat(
      "# The missing cells of ", loaded.source.name, ", written by aggregate_results --missing.\n",
      "#\n#   sweep_runner ", file, " --out ", folder, "\n#   aggregate_results ", folder,
      " --table ", loaded.source.name, "\n\n", sweep::to_toml(*loaded.filling));
  sweep::write_atomically(arguments.missing, text);
  sweep::log_info(concat("wrote ", file, ": run it with sweep_runner ", file, " --out ", folder));
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
  const Format format = find_format(format_name(arguments));
  const View view = view_of(arguments);
  check_one_table(arguments, format, selected_sweeps(arguments));
  auto all = load_stores(arguments);
  std::vector<Table> tables;
  for (auto& loaded : all) tables.push_back(std::move(loaded.table));
  for (const auto& table : tables)
    for (const auto& problem : table.problems) sweep::log_warning(problem);
  if (!arguments.missing.empty()) write_filling_sweep(arguments, std::move(all));
  const std::string text = format.render(tables, view);
  if (arguments.out.empty()) {
    std::cout << text;
  } else {
    write_file(arguments, tables, text);
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
    if (!arguments.man_pages.empty()) {
      sweep::command_line::write_man_pages(sweep::command_line::usage_of(app), sweep::kVersion,
                                           arguments.man_pages);
      return 0;
    }
    return static_cast<int>(run(arguments));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::bad_input);
  } catch (const sweep::Error& error) {
    sweep::log_error(error.what());
    return static_cast<int>(ExitCode::bad_input);
  }
}
