#include <algorithm>

#include "core/text.hpp"
#include "core/text_table.hpp"
#include "runner/report/format.hpp"
#include "runner/report/grid.hpp"
#include "runner/report/notes.hpp"
#include "runner/report/wording.hpp"

namespace sweep::report::plain_text_format {
namespace {

constexpr std::size_t kLineWidth = 100;
constexpr char kGap[] = "  ";

using Lines = std::vector<std::string>;

std::size_t widest(const Lines& lines) {
  std::size_t size = 0;
  for (const auto& line : lines) size = std::max(size, width(line));
  return size;
}

/// The lines as one block, with all of the same width.
Lines aligned(Lines lines, std::string (*align)(const std::string&, std::size_t)) {
  const std::size_t size = widest(lines);
  for (auto& line : lines) line = align(line, size);
  return lines;
}

/// Two blocks side by side.
Lines beside(Lines lines, const Lines& others, const std::string& gap) {
  for (std::size_t i = 0; i < lines.size(); ++i) lines[i] += gap + others[i];
  return lines;
}

Lines row_block(const Table& table) {
  Lines lines{"", "row"};
  for (const auto& [row, heading] : lines_of(table))
    lines.push_back(row == nullptr ? printable(heading) : printable(marked_label(*row, "*")));
  return aligned(std::move(lines), left);
}

Lines seeds_block(const Table& table) {
  Lines lines{"", "n"};
  for (const auto& [row, heading] : lines_of(table))
    lines.push_back(row == nullptr ? "" : concat(seed_count(*row)));
  return aligned(std::move(lines), right);
}

/// A column of the table under its label: ours and, where the paper has any, the published values.
Lines column_block(const Table& table, std::size_t column, const View& view) {
  Lines ours{"ours"}, published{"paper"};
  bool has_published = false;
  for (const auto& [row, heading] : lines_of(table)) {
    const Cell* cell = row == nullptr ? nullptr : &row->cells[column];
    ours.push_back(cell == nullptr ? "" : shown_text(*cell, table.columns[column], view));
    published.push_back(cell == nullptr ? "" : percent(cell->published, "-"));
    has_published = has_published || (cell != nullptr && cell->published);
  }
  Lines lines = aligned(std::move(ours), right);
  if (has_published && view.metric == Metric::accuracy)
    lines = beside(std::move(lines), aligned(std::move(published), right), " ");
  lines.insert(lines.begin(), printable(table.columns[column].label));
  return aligned(std::move(lines), right);
}

/// The text in lines of at most kLineWidth; all but the first are indented.
std::string wrapped(const std::string& text) {
  std::string result, line;
  for (const auto& word : split(text, ' ')) {
    if (!line.empty() && width(line) + 1 + width(word) > kLineWidth) {
      result += line + "\n";
      line = kGap;
    } else if (!line.empty()) {
      line += ' ';
    }
    line += word;
  }
  return result + line + "\n";
}

Lines table_lines(const Table& table, const View& view) {
  Lines lines = beside(row_block(table), seeds_block(table), kGap);
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    lines = beside(std::move(lines), column_block(table, i, view), kGap);
  lines.insert(lines.begin() + 2, std::string(width(lines.front()), '-'));
  return lines;
}

Lines comparison_lines(const Table& table) {
  const Grid grid = comparison_grid(table);
  Lines lines(grid.size());
  for (std::size_t column = 0; column < grid.front().size(); ++column) {
    Lines block;
    for (const auto& line : grid) block.push_back(printable(line[column]));
    const bool is_text = column < 2;
    lines = beside(std::move(lines), aligned(std::move(block), is_text ? left : right),
                   column == 0 ? "" : kGap);
  }
  lines.insert(lines.begin() + 1, std::string(width(lines.front()), '-'));
  return lines;
}

std::string text_of(const Table& table, const View& view) {
  std::string result = printable(table.title) + "\n\n";
  for (const auto& line : view.compare ? comparison_lines(table) : table_lines(table, view))
    result += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  result += "\n";
  for (const auto& note : notes(table, view)) result += wrapped(note);
  return result;
}

std::string text(std::span<const Table> tables, const View& view) {
  std::string result;
  for (const auto& table : tables) result += (result.empty() ? "" : "\n") + text_of(table, view);
  return result;
}

const bool registered = FormatRegistry::instance().add(
    "text", {"aligned columns for the terminal", {}, {text, {"txt"}}});

}  // namespace
}  // namespace sweep::report::plain_text_format
