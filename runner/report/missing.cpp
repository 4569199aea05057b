#include "runner/report/missing.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::report {
namespace {

/// A seed that lacks cells.
struct Gap {
  std::string label;
  Json spec;
};

struct Gaps {
  std::vector<Gap> trials;
  std::set<std::string> columns;  ///< labels
};

Gaps find_gaps(const Plan& plan, const Table& table) {
  Gaps gaps;
  std::set<std::string> labels;
  std::set<Json> specs;
  for (std::size_t r = 0; r < plan.rows.size(); ++r)
    for (std::size_t t = 0; t < plan.rows[r].trials.size(); ++t) {
      const auto& trial = plan.rows[r].trials[t];
      bool lacks = false;
      for (std::size_t c = 0; c < plan.columns.size(); ++c) {
        const auto& metrics = table.rows[r].cells[c].trials[t].metrics;
        if (metrics[static_cast<std::size_t>(Metric::accuracy)]) continue;
        lacks = true;
        gaps.columns.insert(plan.columns[c].label);
      }
      if (!lacks || !specs.insert(trial.spec).second) continue;
      const bool alone = plan.rows[r].trials.size() == 1;
      const std::string wanted =
          alone ? plan.rows[r].label : concat(plan.rows[r].label, ", seed ", trial.seed);
      std::string label = wanted;
      for (int i = 2; !labels.insert(label).second; ++i) label = concat(wanted, " (", i, ")");
      gaps.trials.push_back({label, trial.spec});
    }
  return gaps;
}

/// The values that TOML can hold; what is null was not said.
std::map<std::string, Json> settings_of(const Json& spec) {
  auto settings = leaves(spec);
  std::erase_if(settings, [](const auto& setting) { return setting.second.is_null(); });
  return settings;
}

/// Every setting as an axis of one value: a list is the one value of its axis.
Json include_of(const Json& spec) {
  Json include = Json::object();
  for (const auto& [key, value] : settings_of(spec))
    include[key] = value.is_array() ? Json::array({value}) : value;
  return include;
}

/// Settings of an attacker; its dataset is that of the trial that it attacks.
Json attacker_of(const Json& spec) {
  Json attacker = Json::object();
  for (const auto& [key, value] : settings_of(spec))
    if (key.rfind("dataset.", 0) != 0) attacker[key] = value;
  return attacker;
}

/// The components of the first trial that all have.
Json base_of(const std::vector<Json>& specs) {
  Json base = Json::object();
  for (const auto& [component, options] : specs.front().items()) {
    const bool in_all =
        std::all_of(specs.begin(), specs.end(), [&, &key = component](const Json& spec) {
          return spec.contains(key) && spec.at(key).is_object();
        });
    if (!in_all) continue;
    base[component] = Json::object();
    for (const auto& [key, value] : options.items())
      if (!value.is_null()) base[component][key] = value;
  }
  return base;
}

/// The keys that tell the trials apart.
std::set<std::string> varying_keys(const std::vector<Gap>& trials) {
  std::map<std::string, std::set<Json>> values;
  std::map<std::string, std::size_t> count;
  for (const auto& trial : trials)
    for (const auto& [key, value] : settings_of(trial.spec)) {
      values[key].insert(value);
      ++count[key];
    }
  std::set<std::string> keys;
  for (const auto& [key, seen] : values)
    if (seen.size() > 1 || count[key] < trials.size()) keys.insert(key);
  if (keys.empty() && !values.empty())
    keys.insert(values.contains("defence.name") ? "defence.name" : values.begin()->first);
  return keys;
}

Json rows_of(const std::vector<Gap>& trials) {
  const auto keys = varying_keys(trials);
  Json rows = Json::array();
  for (const auto& [label, spec] : trials) {
    Json where = Json::object();
    for (const auto& [key, value] : settings_of(spec))
      if (keys.contains(key)) where[key] = value;
    rows.push_back({{"label", label}, {"where", where}});
  }
  return rows;
}

const Json& named(const Json& table, const std::string& name, const std::string& what) {
  const auto found = table.find(name);
  if (found == table.end())
    throw InputError(concat("plan.json is damaged (its \"resolved\" has no ", what, " '", name,
                            "'); run the sweep again, which writes it anew and keeps all finished "
                            "work"));
  return *found;
}

}  // namespace

std::optional<Json> filling_sweep(const Plan& plan, const Table& table) {
  const Gaps gaps = find_gaps(plan, table);
  if (gaps.trials.empty()) return std::nullopt;
  Json sweep{{"sweep",
              {{"name", plan.name.substr(0, 92) + "_missing"},
               {"description", concat("The missing cells of ", plan.name)}}},
             {"include", Json::array()}};
  std::vector<Json> specs;
  for (const auto& trial : gaps.trials) {
    specs.push_back(trial.spec);
    sweep["include"].push_back(include_of(trial.spec));
  }
  Json& columns = sweep["table"]["column"] = Json::array();
  for (const auto& column : plan.resolved.at("columns")) {
    if (!gaps.columns.contains(column.at("label").get<std::string>())) continue;
    columns.push_back({{"label", column.at("label")}});
    const std::string attack = column.at("attack"), attacker = column.at("attacker");
    if (attack.empty()) continue;
    sweep["attacks"][attack] = named(plan.resolved.at("attacks"), attack, "attack");
    columns.back()["attack"] = attack;
    if (column.at("pixels") != "float32") columns.back()["pixels"] = column.at("pixels");
    if (!attacker.empty()) columns.back()["attacker"] = attacker;
    if (attacker == kSelf) continue;
    const Json& spec = attacker.empty()
                           ? plan.resolved.at("attacker")
                           : named(plan.resolved.at("attackers"), attacker, "attacker");
    (attacker.empty() ? sweep["attacker"] : sweep["attackers"][attacker]) = attacker_of(spec);
    specs.push_back(spec);
  }
  sweep.update(base_of(specs));
  sweep["table"]["title"] = concat("Missing cells of: ", plan.title);
  sweep["table"]["row"] = rows_of(gaps.trials);
  return sweep;
}

}  // namespace sweep::report
