#include <string_view>

#include "core/text.hpp"
#include "core/text_table.hpp"
#include "runner/report/format.hpp"
#include "runner/report/grid.hpp"
#include "runner/report/notes.hpp"
#include "runner/report/wording.hpp"

namespace sweep::report::markdown_format {
namespace {

/// Text that Markdown shows as it is.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char letter : printable(text)) {
    if (std::string_view("\\|*<`").find(letter) != std::string_view::npos) result += '\\';
    result += letter;
  }
  return result;
}

std::string line(const std::vector<std::string>& cells) {
  return concat("| ", join(cells, " | "), " |\n");
}

/// "84.38 (84.28, +0.10)", "missing (84.28)", "84.38".
std::string cell_text(const Cell& cell, const Column& column, const View& view) {
  const std::string value = shown_text(cell, column, view);
  if (!cell.published || view.metric != Metric::accuracy) return value;
  const auto change = difference(cell);
  return concat(value, " (", percent(cell.published, ""), change ? ", " : "",
                change ? signed_percent(*change) : "", ")");
}

std::string header(const Table& table) {
  std::vector<std::string> names{"row", "seeds", "n"}, rule{":--", ":--", "--:"};
  for (const auto& column : table.columns) {
    names.push_back(escaped(column.label));
    rule.emplace_back("--:");
  }
  return line(names) + line(rule);
}

std::string row_line(const Table& table, const Row& row, const View& view) {
  std::vector<std::string> cells{escaped(row.label) + (row.control ? " \\*" : ""), seeds_text(row),
                                 concat(seed_count(row))};
  for (std::size_t i = 0; i < row.cells.size(); ++i)
    cells.push_back(cell_text(row.cells[i], table.columns[i], view));
  return line(cells);
}

std::string table_text(const Table& table, const View& view) {
  std::string text = header(table);
  for (const auto& [row, heading] : lines_of(table)) {
    std::vector<std::string> group(3 + table.columns.size());
    if (!heading.empty()) group.front() = concat("**", escaped(heading), "**");
    text += row == nullptr ? line(group) : row_line(table, *row, view);
  }
  if (view.metric == Metric::accuracy) text += "\nCells: ours (published, ours minus published).\n";
  return text;
}

std::string comparison_text(const Table& table) {
  std::string text;
  for (auto& fields : comparison_grid(table)) {
    for (auto& field : fields) field = escaped(field);
    text += line(fields);
    if (text.find('\n') + 1 == text.size())
      text += line({":--", ":--", "--:", "--:", "--:", "--:", ":-:"});
  }
  return text;
}

std::string markdown_of(const Table& table, const View& view) {
  std::string text = concat("## ", escaped(table.title), "\n\n");
  text += view.compare ? comparison_text(table) : table_text(table, view);
  text += "\n";
  for (const auto& note : notes(table, view)) text += concat("- ", escaped(note), "\n");
  return text;
}

std::string markdown(std::span<const Table> tables, const View& view) {
  std::string text;
  for (const auto& table : tables) text += (text.empty() ? "" : "\n") + markdown_of(table, view);
  return text;
}

const bool registered = FormatRegistry::instance().add(
    "md", {"Markdown tables with their notes", {}, {markdown, {"markdown"}}});

}  // namespace
}  // namespace sweep::report::markdown_format
