#include "runner/plan/record.hpp"

#include <set>

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
      trials.push_back({{"id", trial},
                        {"label", graph.trial_labels[trial]},
                        {"seed", sweep.trials[trial].training.at("seed")},
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

/// The graph of artifacts; inputs are indices into the list.
Json tasks_record(const Graph& graph) {
  std::map<storage::ArtifactId, std::size_t> index;
  Json tasks = Json::array();
  for (const auto& task : graph.tasks) {
    Json inputs = Json::array();
    for (const auto& input : task.inputs) inputs.push_back(index.at(input));
    index[task.output] = tasks.size();
    tasks.push_back({{"kind", storage::to_string(task.output.kind)},
                     {"hash", task.output.hash},
                     {"label", task.label},
                     {"inputs", inputs},
                     {"cost", task.cost},
                     {"devices", task.devices},
                     {"temporary", task.temporary}});
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

/// Every key of the resolved sweep: "trials.LABEL.training.epochs", "attacks.fgsm.epsilon".
std::map<std::string, Json> leaves_of(const Json& record) {
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
  return flatten(resolved);
}

std::string value_text(const std::map<std::string, Json>& leaves, const std::string& key) {
  const auto leaf = leaves.find(key);
  return leaf == leaves.end() ? "(none)" : leaf->second.dump();
}

}  // namespace

Json plan_record(const Sweep& sweep, const Graph& graph, const std::string& file) {
  Json datasets = Json::array();
  for (const auto& id : graph.datasets) datasets.push_back(id.hash);
  return {{"version", kPlanVersion},
          {"datasets", datasets},
          {"sweep", {{"name", sweep.name}, {"description", sweep.description}, {"file", file}}},
          {"resolved", resolved_record(sweep)},
          {"tasks", tasks_record(graph)},
          {"table",
           {{"title", sweep.table.title},
            {"row_keys", sweep.table.row_keys},
            {"columns", columns_record(sweep, graph)},
            {"rows", rows_record(sweep, graph)}}}};
}

std::vector<std::string> changes(const Json& old_record, const Json& new_record) {
  const auto before = leaves_of(old_record), after = leaves_of(new_record);
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
