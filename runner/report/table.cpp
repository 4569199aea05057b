#include "runner/report/table.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "runner/report/plan_file.hpp"

namespace sweep::report {
namespace {

std::string cell_name(const Table& table, const Row& row, std::size_t column) {
  return concat(row.label, ", ", table.columns[column].label);
}

}  // namespace

std::optional<double> Cell::value() const {
  const auto& accuracy = (*this)[Metric::accuracy];
  return accuracy ? std::optional(accuracy->value) : std::nullopt;
}

std::size_t Cell::seeds() const {
  const auto& accuracy = (*this)[Metric::accuracy];
  return accuracy ? accuracy->seeds : 0;
}

bool is_white_box(const Column& column) {
  return column.attacker == kSelf;
}

bool is_undefined(const Cell& cell, Metric metric) {
  const auto is_zero = [&](Metric other) { return cell[other] && cell[other]->count == 0; };
  if (cell[metric]) return false;
  if (metric == Metric::success_of_correct) return is_zero(Metric::clean_accuracy);
  const bool of_successes =
      metric == Metric::mean_l2_of_successes || metric == Metric::median_l2_of_successes;
  return of_successes && is_zero(Metric::success) && cell[Metric::mean_l2];
}

std::optional<double> difference(const Cell& cell) {
  if (!cell.value() || !cell.published) return std::nullopt;
  return *cell.value() - *cell.published;
}

std::optional<bool> published_is_inside(const Cell& cell) {
  const auto& accuracy = cell[Metric::accuracy];
  if (!accuracy || !accuracy->interval || !cell.published) return std::nullopt;
  return contains(*accuracy->interval, *cell.published);
}

std::size_t seed_count(const Row& row) {
  std::optional<std::size_t> smallest;
  for (const auto& cell : row.cells)
    if (cell.value()) smallest = std::min(smallest.value_or(cell.seeds()), cell.seeds());
  return smallest.value_or(0);
}

std::size_t cell_count(const Table& table) {
  return table.rows.size() * table.columns.size();
}

std::vector<std::string> missing_cells(const Table& table) {
  std::vector<std::string> names;
  for (const auto& row : table.rows)
    for (std::size_t i = 0; i < row.cells.size(); ++i)
      if (!row.cells[i].value()) names.push_back(cell_name(table, row, i));
  return names;
}

std::vector<std::string> partial_cells(const Table& table) {
  std::vector<std::string> lines;
  for (const auto& row : table.rows)
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const Cell& cell = row.cells[i];
      if (cell.value() && cell.seeds() < row.seeds.size())
        lines.push_back(concat(cell_name(table, row, i), ": mean over ", cell.seeds(), " of ",
                               row.seeds.size(), " seeds"));
    }
  return lines;
}

}  // namespace sweep::report
