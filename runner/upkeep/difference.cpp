#include "runner/upkeep/difference.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/plan/record.hpp"
#include "runner/report/load.hpp"
#include "runner/upkeep/content.hpp"
#include "runner/upkeep/recorded_run.hpp"
#include "storage/artifact_file.hpp"

namespace sweep::upkeep {
namespace {

std::map<std::pair<std::string, std::string>, std::optional<double>> cells_of(
    const report::Table& table) {
  std::map<std::pair<std::string, std::string>, std::optional<double>> cells;
  for (const auto& row : table.rows)
    for (std::size_t i = 0; i < row.cells.size(); ++i)
      cells[{row.label, table.columns[i].label}] = row.cells[i].value();
  return cells;
}

std::set<std::string> labels_of(const report::Table& table) {
  std::set<std::string> labels;
  for (const auto& row : table.rows) labels.insert("row " + row.label);
  for (const auto& column : table.columns) labels.insert("column " + column.label);
  return labels;
}

report::Table table_of(const inspect::RunFolder& run, const report::Plan& plan,
                       std::vector<std::string>& problems) {
  report::Artifacts artifacts(run.store);
  report::Table table = report::load_table(plan, artifacts);
  for (const auto& problem : table.problems)
    problems.push_back(concat(run.path.string(), ": ", problem));
  return table;
}

Json column_json(const report::Plan::Column& column) {
  return {{"attack", column.attack}, {"attacker", column.attacker}, {"pixels", column.pixels}};
}

/// Columns of one label that mean something else: "columns.fgsm.attack.epsilon: 0.01 -> 0.02".
void compare_columns(const report::Plan& a, const report::Plan& b,
                     std::vector<std::string>& changes) {
  for (const auto& column : a.columns)
    for (const auto& other : b.columns) {
      if (column.label != other.label) continue;
      auto before = report::leaves(column_json(column)), after = report::leaves(column_json(other));
      for (const auto& [key, value] : before) after.try_emplace(key);
      for (const auto& [key, value] : after)
        if (before[key] != value)
          changes.push_back(concat("columns.", column.label, ".", key, ": ", before[key].dump(),
                                   " -> ", value.dump()));
    }
}

void compare_tables(const report::Table& a, const report::Table& b, Difference& difference) {
  const auto labels_a = labels_of(a), labels_b = labels_of(b);
  std::set_difference(labels_a.begin(), labels_a.end(), labels_b.begin(), labels_b.end(),
                      std::back_inserter(difference.only_a));
  std::set_difference(labels_b.begin(), labels_b.end(), labels_a.begin(), labels_a.end(),
                      std::back_inserter(difference.only_b));
  const auto cells_b = cells_of(b);
  for (const auto& [place, value] : cells_of(a))
    if (const auto other = cells_b.find(place); other != cells_b.end())
      difference.cells.push_back({place.first, place.second, value, other->second});
}

void compare_artifacts(const inspect::RunFolder& a, const inspect::RunFolder& b,
                       const RecordedRun& run_a, const RecordedRun& run_b, Difference& difference) {
  std::set<storage::ArtifactId> in_b;
  for (const auto& task : run_b.tasks) in_b.insert(task.id);
  const bool same_store = std::filesystem::equivalent(a.store.root(), b.store.root());
  for (const auto& task : run_a.tasks) {
    if (!in_b.contains(task.id) || !a.store.contains(task.id) || !b.store.contains(task.id))
      continue;
    ++difference.common;
    if (same_store) continue;
    try {
      if (!equal_content(storage::read_artifact(a.store.artifact_path(task.id)),
                         storage::read_artifact(b.store.artifact_path(task.id))))
        difference.unequal.push_back(task.id);
    } catch (const Error& error) {
      difference.problems.push_back(error.what());
    }
  }
}

}  // namespace

bool Difference::any() const {
  return !changes.empty() || !only_a.empty() || !only_b.empty() || !unequal.empty() ||
         !problems.empty() ||
         std::any_of(cells.begin(), cells.end(),
                     [](const CellDifference& cell) { return cell.differs(); });
}

Difference compare(const inspect::RunFolder& a, const inspect::RunFolder& b) {
  const RecordedRun run_a = read_run(a.plan(), a.name), run_b = read_run(b.plan(), b.name);
  Difference difference;
  difference.changes = plan::changes(run_a.record, run_b.record);
  compare_columns(run_a.plan, run_b.plan, difference.changes);
  compare_tables(table_of(a, run_a.plan, difference.problems),
                 table_of(b, run_b.plan, difference.problems), difference);
  compare_artifacts(a, b, run_a, run_b, difference);
  return difference;
}

}  // namespace sweep::upkeep
