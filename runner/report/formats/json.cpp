#include "runner/report/format.hpp"
#include "runner/report/notes.hpp"

namespace sweep::report::json_format {
namespace {

// Raised when a key changes its meaning or goes; docs/aggregate_results.md has the schema.
constexpr int kSchemaVersion = 1;

Json interval_json(const std::optional<Interval>& interval) {
  return interval ? Json{interval->low, interval->high} : Json();
}

Json estimates_json(const PerMetric<Estimate>& estimates) {
  Json json = Json::object();
  for (std::size_t i = 0; i < kMetrics; ++i) {
    const auto& estimate = estimates[i];
    if (!estimate) continue;
    Json& metric = json[metric_infos()[i].name];
    metric = {{"value", estimate->value},
              {"n", estimate->n},
              {"seeds", estimate->seeds},
              {"std", optional_json(estimate->std)},
              {"ci95", interval_json(estimate->ci95)}};
    if (!metric_infos()[i].proportion) continue;
    metric["count"] = estimate->count;
    metric["wilson"] = interval_json(estimate->interval);
  }
  return json;
}

Json trial_json(const TrialCell& trial) {
  Json metrics = Json::object();
  for (std::size_t i = 0; i < kMetrics; ++i) {
    const auto& measurement = trial.metrics[i];
    if (!measurement) continue;
    Json& metric = metrics[metric_infos()[i].name];
    metric = {{"value", measurement->value}, {"n", measurement->n}};
    if (!metric_infos()[i].proportion) continue;
    const auto n = static_cast<double>(measurement->n);
    const Interval share = wilson(static_cast<double>(measurement->count) / n, n);
    metric["count"] = measurement->count;
    metric["wilson"] = {100 * share.low, 100 * share.high};
  }
  return {{"seed", trial.seed}, {"metrics", metrics}};
}

Json comparison_json(const std::optional<Comparison>& comparison) {
  if (!comparison) return {};
  Json tests = Json::array();
  for (const auto& [seed, reference_seed, test] : comparison->pairs)
    tests.push_back({{"seed", seed},
                     {"reference_seed", reference_seed},
                     {"only_ours", test.only_first},
                     {"only_reference", test.only_second},
                     {"exact", test.exact},
                     {"p", test.p}});
  return {{"reference", comparison->reference},
          {"difference", comparison->difference},
          {"bootstrap95", interval_json(comparison->interval)},
          {"images", comparison->images},
          {"mcnemar", tests}};
}

Json cell_json(const Cell& cell, const Column& column) {
  Json trials = Json::array();
  for (const auto& trial : cell.trials) trials.push_back(trial_json(trial));
  return {{"column", column.label},
          {"missing", !cell.value()},
          {"metrics", estimates_json(cell.metrics)},
          {"published", optional_json(cell.published)},
          {"difference", optional_json(difference(cell))},
          {"published_inside", optional_json(published_is_inside(cell))},
          {"confusion", cell.confusion},
          {"against_baseline", comparison_json(cell.against_baseline)},
          {"against_control", comparison_json(cell.against_control)},
          {"trials", trials}};
}

Json row_json(const Table& table, const Row& row) {
  Json keys = Json::object(), cells = Json::array();
  for (std::size_t i = 0; i < row.keys.size(); ++i) keys[table.row_keys[i]] = row.keys[i];
  for (std::size_t i = 0; i < row.cells.size(); ++i)
    cells.push_back(cell_json(row.cells[i], table.columns[i]));
  return {{"label", row.label},
          {"group", row.group},
          {"control", row.control},
          {"baseline", row.baseline},
          {"keys", keys},
          {"seeds", row.seeds},
          {"images", optional_json(row.images)},
          {"cells", cells}};
}

Json column_json(const Column& column) {
  Json json{{"label", column.label},       {"attack", column.attack},
            {"attacker", column.attacker}, {"white_box", is_white_box(column)},
            {"pixels", column.pixels},     {"on_attacker", nullptr}};
  if (column.effect)
    json["on_attacker"] = {{"success", column.effect->success},
                           {"mean_l2", column.effect->l2},
                           {"mean_linf", column.effect->linf}};
  return json;
}

Json table_json(const Table& table, const View& view) {
  Json columns = Json::array(), rows = Json::array(), datasets = Json::array();
  for (const auto& column : table.columns) columns.push_back(column_json(column));
  for (const auto& row : table.rows) rows.push_back(row_json(table, row));
  for (const auto& dataset : table.datasets)
    datasets.push_back({{"name", dataset.name},
                        {"class_names", dataset.class_names},
                        {"skipped", dataset.skipped}});
  return {{"folder", table.folder},
          {"name", table.name},
          {"title", table.title},
          {"columns", columns},
          {"rows", rows},
          {"datasets", datasets},
          {"problems", table.problems},
          {"notes", notes(table, view)}};
}

std::string json(std::span<const Table> tables, const View& view) {
  Json all = Json::array();
  for (const auto& table : tables) all.push_back(table_json(table, view));
  return Json{{"version", kSchemaVersion}, {"tables", all}}.dump(2) + "\n";
}

const bool registered = FormatRegistry::instance().add(
    "json", {"everything that is known, with confusion matrices and tests", {}, {json, {}}});

}  // namespace
}  // namespace sweep::report::json_format
