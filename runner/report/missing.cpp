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

/// Collects the sections of the sweep.
class Filling {
 public:
  Filling(const Plan& plan, const Gaps& gaps) : plan_(plan), gaps_(gaps) {}

  Json sweep() {
    sweep_ = {{"sweep",
               {{"name", plan_.name.substr(0, 92) + "_missing"},
                {"description", concat("The missing cells of ", plan_.name)}}},
              {"table", {{"title", concat("Missing cells of: ", plan_.title)}}}};
    for (const auto& trial : gaps_.trials) {
      sweep_["include"].push_back(include_of(trial.spec));
      add_component_attacks(trial.spec);
      specs_.push_back(trial.spec);
    }
    // Also where no column is left that it makes: preprocessors may be trained on its examples.
    add_attacker(sweep_["attacker"], plan_.resolved.at("attacker"));
    add_columns();
    sweep_["table"]["row"] = rows_of(gaps_.trials);
    sweep_.update(base_of(specs_));
    return std::move(sweep_);
  }

 private:
  void add_columns() {
    const Json& planned = plan_.resolved.at("columns");
    // Columns of clean images take the table's.
    const bool rounds_clean = std::any_of(planned.begin(), planned.end(), [](const Json& column) {
      return column.at("attack") == "" && column.at("pixels") == "uint8";
    });
    const std::string pixels = rounds_clean ? "uint8" : "float32";
    if (rounds_clean) sweep_["table"]["pixels"] = pixels;
    for (const auto& column : planned) {
      if (!gaps_.columns.contains(column.at("label").get<std::string>())) continue;
      Json needed{{"label", column.at("label")}};
      if (column.at("attack") != "") {
        add_attack(column.at("attack"));
        needed["attack"] = column.at("attack");
        if (column.at("pixels") != pixels) needed["pixels"] = column.at("pixels");
        if (column.at("attacker") != "") needed["attacker"] = column.at("attacker");
        add_named_attacker(column.at("attacker"));
      }
      sweep_["table"]["column"].push_back(std::move(needed));
    }
  }

  void add_attack(const std::string& key) {
    sweep_["attacks"][key] = named(plan_.resolved.at("attacks"), key, "attack");
  }

  void add_named_attacker(const std::string& name) {
    if (name.empty() || name == kSelf) return;
    Json& attacker = sweep_["attackers"][name];
    if (attacker.is_null())
      add_attacker(attacker, named(plan_.resolved.at("attackers"), name, "attacker"));
  }

  void add_attacker(Json& section, const Json& spec) {
    section = attacker_of(spec);
    add_component_attacks(spec);
    specs_.push_back(spec);
  }

  /// A preprocessor that is trained on adversarial examples names their attacks.
  void add_component_attacks(const Json& spec) {
    const Json preprocessor = spec.value("preprocessor", Json());
    if (!preprocessor.is_object()) return;
    for (const auto& key : preprocessor.value("training_attacks", Json::array()))
      if (key.is_string()) add_attack(key);
  }

  const Plan& plan_;
  const Gaps& gaps_;
  Json sweep_;
  std::vector<Json> specs_;  ///< of every model that the sweep names
};

}  // namespace

std::optional<Json> filling_sweep(const Plan& plan, const Table& table) {
  const Gaps gaps = find_gaps(plan, table);
  if (gaps.trials.empty()) return std::nullopt;
  return Filling(plan, gaps).sweep();
}

}  // namespace sweep::report
