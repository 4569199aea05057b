#include "runner/plan/record.hpp"

#include <set>

#include "core/text.hpp"

namespace sweep::plan {
namespace {

Json columns_record(const Sweep& sweep, const Graph& graph) {
  Json columns = Json::array();
  for (const auto& column : sweep.table.columns) {
    // Trials of one dataset share their adversarial sets; the first row's stands for the column.
    const std::size_t trial = sweep.table.rows.front().trials.front();
    const bool shared = !column.is_clean() && !column.is_white_box();
    columns.push_back(
        {{"label", column.label},
         {"attack", column.is_clean() ? Json() : sweep.attacks.at(column.attack)},
         {"attacker", column.attacker},
         {"pixels", column.pixels},
         {"adversarial_set",
          shared ? Json(graph.adversarial_sets[trial].at(column.label).hash) : Json()}});
  }
  return columns;
}

Json hashes(const std::map<std::string, storage::ArtifactId>& ids) {
  Json hashes = Json::object();
  for (const auto& [label, id] : ids) hashes[label] = id.hash;
  return hashes;
}

/// The row's value of a key: one value when its trials agree, else the list; null where no trial
/// has it.
Json row_value(const Sweep& sweep, const Row& row, const std::string& key) {
  Json values = Json::array();
  for (const auto trial : row.trials) {
    const auto leaves = flatten(sweep.trials[trial].to_json());
    const auto leaf = leaves.find(key);
    const Json value = leaf == leaves.end() ? Json() : leaf->second;
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
  }
  return values.size() == 1 ? values.front() : values;
}

Json rows_record(const Sweep& sweep, const Graph& graph) {
  Json rows = Json::array();
  for (const auto& row : sweep.table.rows) {
    Json keys = Json::object(), trials = Json::array();
    for (const auto& key : sweep.table.row_keys) keys[key] = row_value(sweep, row, key);
    for (const auto trial : row.trials)
      trials.push_back({{"seed", sweep.trials[trial].training.at("seed")},
                        {"spec", sweep.trials[trial].to_json()},
                        {"evaluations", hashes(graph.evaluations[trial])},
                        {"adversarial_sets", hashes(graph.adversarial_sets[trial])}});
    rows.push_back({{"label", row.label},
                    {"group", row.group},
                    {"control", row.control},
                    {"baseline", row.baseline},
                    {"keys", keys},
                    {"published", row.published},
                    {"trials", trials}});
  }
  return rows;
}

Json resolved_record(const Sweep& sweep) {
  Json trials = Json::object();
  for (const auto& row : sweep.table.rows)
    for (std::size_t i = 0; i < row.trials.size(); ++i)
      trials[row.trials.size() == 1 ? row.label : concat(row.label, " #", i)] =
          sweep.trials[row.trials[i]].to_json();
  Json attackers = Json::object(), columns = Json::array();
  for (const auto& [name, attacker] : sweep.attackers) attackers[name] = attacker.to_json();
  for (const auto& column : sweep.table.columns)
    columns.push_back({{"label", column.label},
                       {"attack", column.attack},
                       {"attacker", column.attacker},
                       {"pixels", column.pixels}});
  return {{"trials", trials},
          {"attacker", sweep.attacker.to_json()},
          {"attackers", attackers},
          {"attacks", sweep.attacks},
          {"columns", columns}};
}

std::string value_text(const std::map<std::string, Json>& leaves, const std::string& key) {
  const auto leaf = leaves.find(key);
  return leaf == leaves.end() ? "(none)" : leaf->second.dump();
}

}  // namespace

Json plan_record(const Sweep& sweep, const Graph& graph, const std::string& file) {
  Json datasets = Json::array();
  for (const auto& id : graph.datasets) datasets.push_back(id.hash);
  return {{"version", 2},
          {"datasets", datasets},
          {"sweep", {{"name", sweep.name}, {"description", sweep.description}, {"file", file}}},
          {"resolved", resolved_record(sweep)},
          {"table",
           {{"title", sweep.table.title},
            {"row_keys", sweep.table.row_keys},
            {"columns", columns_record(sweep, graph)},
            {"rows", rows_record(sweep, graph)}}}};
}

std::vector<std::string> changes(const Json& old_record, const Json& new_record) {
  const auto leaves = [](const Json& record) {
    Json resolved = record.value("resolved", Json::object());
    resolved.erase("columns");  // they show what trials and attacks make
    return flatten(resolved);
  };
  const auto before = leaves(old_record), after = leaves(new_record);
  std::set<std::string> keys;
  for (const auto& [key, value] : before) keys.insert(key);
  for (const auto& [key, value] : after) keys.insert(key);
  std::vector<std::string> lines;
  for (const auto& key : keys)
    if (value_text(before, key) != value_text(after, key))
      lines.push_back(concat(key, ": ", value_text(before, key), " -> ", value_text(after, key)));
  return lines;
}

}  // namespace sweep::plan
