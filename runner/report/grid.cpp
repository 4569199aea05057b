#include "runner/report/grid.hpp"

#include "runner/report/wording.hpp"

namespace sweep::report {
namespace {

std::vector<std::string> comparison_line(const Row& row, const Column& column, const Cell& cell) {
  std::vector<std::string> fields{marked_label(row, "*"), column.label,
                                  percent(cell.value(), kMissing)};
  const auto& accuracy = cell[Metric::accuracy];
  fields.push_back(accuracy ? interval_text(Metric::accuracy, *accuracy->interval) : "");
  fields.push_back(percent(cell.published, ""));
  fields.push_back(accuracy ? signed_percent(*difference(cell)) : "");
  const auto inside = published_is_inside(cell);
  fields.emplace_back(!inside ? "" : *inside ? "yes" : "no");
  return fields;
}

}  // namespace

std::vector<Line> lines_of(const Table& table) {
  std::vector<Line> lines;
  std::string group;
  for (const auto& row : table.rows) {
    if (row.group != group) lines.push_back({nullptr, row.group});
    group = row.group;
    lines.push_back({&row, ""});
  }
  return lines;
}

Grid comparison_grid(const Table& table) {
  Grid grid{{"row", "column", "ours", "95 % interval", "paper", "difference", "inside"}};
  for (const auto& row : table.rows)
    for (std::size_t i = 0; i < row.cells.size(); ++i)
      if (row.cells[i].published)
        grid.push_back(comparison_line(row, table.columns[i], row.cells[i]));
  return grid;
}

}  // namespace sweep::report
