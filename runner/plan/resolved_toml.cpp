#include "runner/plan/resolved_toml.hpp"

#include "core/document.hpp"
#include "core/text.hpp"

namespace sweep::plan {
namespace {

/// What `trial` sets on top of `base`, as dotted keys.
Json difference(const Trial& trial, const Trial& base) {
  Json settings = Json::object();
  for (const auto& [name, member] : kComponents) {
    const Json& before = base.*member;
    for (const auto& [key, value] : (trial.*member).items())
      if (!before.contains(key) || before.at(key) != value)
        settings[concat(name, ".", key)] = value;
  }
  return settings;
}

Json includes_of(const Sweep& sweep) {
  Json includes = Json::array();
  for (const auto& trial : sweep.trials) {
    Json& include = includes.emplace_back(difference(trial, sweep.trials.front()));
    include["training.seed"] = trial.training.at("seed");  // no include is empty
    for (auto& value : include)
      if (value.is_array()) value = Json::array({value});  // one value of an axis
  }
  return includes;
}

struct Used {
  std::set<std::string> attacks, attackers;
};

Used used_by(const Sweep& sweep, const Catalogue& catalogue) {
  Used used;
  const auto add = [&](const Trial& trial) {
    for (const auto& key : training_attacks(trial, catalogue)) used.attacks.insert(key);
  };
  for (const auto& column : sweep.table.columns) {
    if (column.is_clean()) continue;
    used.attacks.insert(column.attack);
    if (column.attacker.empty() || column.is_white_box()) continue;
    if (used.attackers.insert(column.attacker).second) add(sweep.attackers.at(column.attacker));
  }
  for (const auto& trial : sweep.trials) add(trial);
  add(sweep.attacker);
  return used;
}

Json columns_of(const Table& table) {
  Json columns = Json::array();
  for (const auto& column : table.columns) {
    Json& entry = columns.emplace_back(Json{{"label", column.label}});
    if (column.is_clean()) continue;
    entry["attack"] = column.attack;
    entry["pixels"] = column.pixels;
    if (!column.attacker.empty()) entry["attacker"] = column.attacker;
  }
  return columns;
}

/// Clean columns say nothing of pixels: they follow the table.
std::string pixels_of(const Table& table) {
  for (const auto& column : table.columns)
    if (column.is_clean()) return column.pixels;
  return Column().pixels;
}

Json rows_of(const Table& table) {
  Json rows = Json::array();
  for (const auto& row : table.rows) {
    Json& entry = rows.emplace_back(Json{{"label", row.label}, {"where", row.where}});
    if (!row.group.empty()) entry["group"] = row.group;
    if (row.control) entry["control"] = true;
    if (row.baseline) entry["baseline"] = true;
    if (!row.published.empty()) entry["published"] = row.published;
  }
  return rows;
}

Json priorities_of(const Sweep& sweep) {
  Json priorities = Json::array();
  for (const auto& priority : sweep.priorities)
    priorities.push_back({{"where", priority.where}, {"value", priority.value}});
  return priorities;
}

Json search_of(const scheduling::EarlyStoppingOptions& options) {
  return {{"early_stopping", options.rule},   {"metric", options.metric},
          {"min_epochs", options.min_epochs}, {"reduction", options.reduction},
          {"grace", options.grace},           {"force", true}};
}

}  // namespace

std::string resolved_toml(const Sweep& sweep, const Catalogue& catalogue) {
  const Used used = used_by(sweep, catalogue);
  Json attacks = Json::object(), attackers = Json::object();
  for (const auto& key : used.attacks) attacks[key] = sweep.attacks.at(key);
  for (const auto& name : used.attackers)
    attackers[name] = difference(sweep.attackers.at(name), sweep.trials.front());

  std::string text = concat("# ", sweep.name, ", resolved: every key and every trial.\n");
  const auto add = [&](const char* name, const Json& value) {
    if (!value.empty()) text += to_toml({{name, value}}) + "\n";
  };
  // Lists of tables stand above all tables: behind one they would be keys of it.
  add("include", includes_of(sweep));
  add("priority", priorities_of(sweep));
  add("sweep", {{"name", sweep.name}, {"description", sweep.description}});
  for (const auto& [name, member] : kComponents) add(name, sweep.trials.front().*member);
  add("attacker", difference(sweep.attacker, sweep.trials.front()));
  add("attackers", attackers);
  add("attacks", attacks);
  if (sweep.early_stopping.rule != "none") add("search", search_of(sweep.early_stopping));
  add("table", {{"title", sweep.table.title},
                {"row_keys", sweep.table.row_keys},
                {"pixels", pixels_of(sweep.table)},
                {"column", columns_of(sweep.table)},
                {"row", rows_of(sweep.table)}});
  add("run", to_json(sweep.run));
  return text;
}

}  // namespace sweep::plan
