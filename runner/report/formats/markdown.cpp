#include <string_view>

#include "core/text.hpp"
#include "runner/report/format.hpp"
#include "runner/report/wording.hpp"

namespace sweep::report {
namespace {

/// Text that Markdown shows as it is.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char letter : text) {
    if (std::string_view("\\|*<`").find(letter) != std::string_view::npos) result += '\\';
    result += letter == '\n' ? ' ' : letter;
  }
  return result;
}

std::string line(const std::vector<std::string>& cells) {
  return concat("| ", join(cells, " | "), " |\n");
}

/// "84.38 (84.28, +0.10)", "missing (84.28)", "84.38".
std::string cell_text(const Cell& cell) {
  std::string value = percent(cell.value, kMissing);
  if (!cell.published) return value;
  const auto change = difference(cell);
  const std::string sign = change && *change >= 0 ? "+" : "";
  const std::string behind = change ? concat(", ", sign, percent(change, "")) : "";
  return concat(value, " (", percent(cell.published, ""), behind, ")");
}

std::string header(const Table& table) {
  std::vector<std::string> names{"row", "seeds", "n"}, rule{":--", ":--", "--:"};
  for (const auto& column : table.columns) {
    names.push_back(escaped(column.label));
    rule.emplace_back("--:");
  }
  return line(names) + line(rule);
}

std::string row_line(const Row& row) {
  std::vector<std::string> cells{escaped(row.label) + (row.control ? " \\*" : ""), seeds_text(row),
                                 concat(seed_count(row))};
  for (const auto& cell : row.cells) cells.push_back(cell_text(cell));
  return line(cells);
}

std::string markdown(const Table& table) {
  std::string text = concat("## ", escaped(table.title), "\n\n", header(table));
  for (const auto& row : table.rows) text += row_line(row);
  text += "\nCells: ours (published, ours minus published).\n\n";
  for (const auto& note : notes(table)) text += concat("- ", escaped(note), "\n");
  return text;
}

const bool registered =
    FormatRegistry::instance().add("md", {"a Markdown table with its notes", {}, markdown});

}  // namespace
}  // namespace sweep::report
