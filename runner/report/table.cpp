#include "runner/report/table.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace sweep::report {
namespace {

std::string cell_name(const Table& table, const Row& row, std::size_t column) {
  return concat(row.label, ", ", table.columns[column].label);
}

}  // namespace

std::optional<double> difference(const Cell& cell) {
  if (!cell.value || !cell.published) return std::nullopt;
  return *cell.value - *cell.published;
}

std::size_t seed_count(const Row& row) {
  std::optional<std::size_t> smallest;
  for (const auto& cell : row.cells)
    if (cell.value) smallest = std::min(smallest.value_or(cell.seeds), cell.seeds);
  return smallest.value_or(0);
}

std::size_t cell_count(const Table& table) {
  return table.rows.size() * table.columns.size();
}

std::vector<std::string> missing_cells(const Table& table) {
  std::vector<std::string> names;
  for (const auto& row : table.rows)
    for (std::size_t i = 0; i < row.cells.size(); ++i)
      if (!row.cells[i].value) names.push_back(cell_name(table, row, i));
  return names;
}

std::vector<std::string> partial_cells(const Table& table) {
  std::vector<std::string> lines;
  for (const auto& row : table.rows)
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const Cell& cell = row.cells[i];
      if (cell.value && cell.seeds < row.seeds.size())
        lines.push_back(concat(cell_name(table, row, i), ": mean over ", cell.seeds, " of ",
                               row.seeds.size(), " seeds"));
    }
  return lines;
}

}  // namespace sweep::report
