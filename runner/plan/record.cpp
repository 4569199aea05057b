#include "runner/plan/record.hpp"

#include <set>
#include <unordered_map>
#include <unordered_set>

#include "core/text.hpp"

namespace sweep::plan {
namespace {

constexpr int kPlanVersion = 3;  // runner/report and runner/inspect read it

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
  std::unordered_set<std::string> seen;
  for (const auto trial : row.trials) {
    const Json* found = sweep.trials[trial].find(key);
    Json value = found == nullptr ? Json() : *found;
    if (seen.insert(value.dump()).second) values.push_back(std::move(value));
  }
  return values.size() == 1 ? values.front() : values;
}

/// Built key by key: a braced list of Json copies everything in it.
Json trial_record(const Sweep& sweep, const Graph& graph, std::size_t trial) {
  Json record = Json::object();
  record["id"] = trial;
  record["label"] = graph.trial_labels[trial];
  record["seed"] = sweep.trials[trial].training.at("seed");
  Json& spec = record["spec"] = Json::object();
  for (const auto& [name, member] : kComponents) spec[name] = sweep.trials[trial].*member;
  record["evaluations"] = hashes(graph.evaluations[trial]);
  record["adversarial_sets"] = hashes(graph.adversarial_sets[trial]);
  return record;
}

Json rows_record(const Sweep& sweep, const Graph& graph) {
  Json rows = Json::array();
  for (const auto& row : sweep.table.rows) {
    Json& record = rows.emplace_back(Json{{"label", row.label},
                                          {"group", row.group},
                                          {"control", row.control},
                                          {"baseline", row.baseline},
                                          {"published", row.published}});
    Json& keys = record["keys"] = Json::object();
    for (const auto& key : sweep.table.row_keys) keys[key] = row_value(sweep, row, key);
    Json& trials = record["trials"] = Json::array();
    for (const auto trial : row.trials) trials.push_back(trial_record(sweep, graph, trial));
  }
  return rows;
}

/// The graph of artifacts; inputs are indices into the list.
Json tasks_record(const Graph& graph) {
  std::unordered_map<std::string, std::size_t> index;  // of a hash
  Json tasks = Json::array();
  for (const auto& task : graph.tasks) {
    index.emplace(task.output.hash, tasks.size());
    Json& record = tasks.emplace_back(Json::object());
    record["kind"] = storage::to_string(task.output.kind);
    record["hash"] = task.output.hash;
    record["label"] = task.label;
    Json& inputs = record["inputs"] = Json::array();
    for (const auto& input : task.inputs) inputs.push_back(index.at(input.hash));
    record["cost"] = task.cost;
    record["devices"] = task.devices;
    record["priority"] = task.priority;
    record["temporary"] = task.temporary;
  }
  return tasks;
}

Json resolved_record(const Sweep& sweep) {
  Json attackers = Json::object(), columns = Json::array();
  for (const auto& [name, attacker] : sweep.attackers) attackers[name] = attacker.to_json();
  for (const auto& column : sweep.table.columns)
    columns.push_back({{"label", column.label},
                       {"attack", column.attack},
                       {"attacker", column.attacker},
                       {"pixels", column.pixels}});
  return {{"attacker", sweep.attacker.to_json()},
          {"attackers", attackers},
          {"attacks", sweep.attacks},
          {"columns", columns}};
}

/// The resolved sweep as it is compared: {"trials": {LABEL: spec}, "attacks": {KEY: ...}, ...}.
Json comparable(const Json& record) {
  Json resolved = record.value("resolved", Json::object());
  resolved.erase("columns");  // they show what trials and attacks make
  Json& trials = resolved["trials"] = Json::object();
  const Json table = record.value("table", Json::object());
  for (const auto& row : table.value("rows", Json::array())) {
    const std::string label = row.value("label", "");
    const Json list = row.value("trials", Json::array());
    for (std::size_t i = 0; i < list.size(); ++i)
      trials[list.size() == 1 ? label : concat(label, " #", i)] =
          list[i].value("spec", Json::object());
  }
  return resolved;
}

/// Takes out the trials that `other` does not have. Returns a line for each.
std::vector<std::string> take_unmatched(Json& trials, const Json& other, const char* what) {
  std::vector<std::string> labels;
  for (const auto& [label, spec] : trials.items())
    if (!other.contains(label)) labels.push_back(label);
  for (auto& label : labels) {
    trials.erase(label);
    label = concat("trials.", label, ": ", what);
  }
  return labels;
}

std::string leaf_text(const std::map<std::string, Json>& leaves, const std::string& key) {
  const auto leaf = leaves.find(key);
  return leaf == leaves.end() ? "(none)" : leaf->second.dump();
}

}  // namespace

Json plan_record(const Sweep& sweep, const Graph& graph, const std::string& file) {
  Json datasets = Json::array();
  for (const auto& id : graph.datasets) datasets.push_back(id.hash);
  Json record{{"version", kPlanVersion},
              {"datasets", datasets},
              {"sweep", {{"name", sweep.name}, {"description", sweep.description}, {"file", file}}},
              {"resolved", resolved_record(sweep)}};
  record["tasks"] = tasks_record(graph);
  Json& table = record["table"] = Json{{"title", sweep.table.title},
                                       {"row_keys", sweep.table.row_keys},
                                       {"columns", columns_record(sweep, graph)}};
  table["rows"] = rows_record(sweep, graph);
  return record;
}

std::vector<std::string> changes(const Json& old_record, const Json& new_record) {
  Json old_sweep = comparable(old_record), new_sweep = comparable(new_record);
  const Json old_trials = old_sweep["trials"];
  auto lines = take_unmatched(old_sweep["trials"], new_sweep["trials"], "left out");
  for (auto& line : take_unmatched(new_sweep["trials"], old_trials, "added"))
    lines.push_back(std::move(line));
  const auto before = flatten(old_sweep), after = flatten(new_sweep);
  std::set<std::string> keys;
  for (const auto& [key, value] : before) keys.insert(key);
  for (const auto& [key, value] : after) keys.insert(key);
  for (const auto& key : keys)
    if (leaf_text(before, key) != leaf_text(after, key))
      lines.push_back(concat(key, ": ", leaf_text(before, key), " -> ", leaf_text(after, key)));
  return lines;
}

}  // namespace sweep::plan
