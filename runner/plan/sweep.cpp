#include "runner/plan/sweep.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "core/error.hpp"
#include "core/options.hpp"
#include "core/text.hpp"
#include "runner/plan/conditions.hpp"
#include "runner/plan/grammar.hpp"
#include "runner/plan/grid.hpp"
#include "runner/plan/search.hpp"
#include "runner/plan/table.hpp"
#include "runner/plan/trials.hpp"
#include "runner/slurm/options.hpp"

namespace sweep::plan {
namespace {

struct Heading {
  std::string name, description;
};

const OptionTable<Heading>& heading_table() {
  static const OptionTable<Heading> table{
      {"name", &Heading::name, {.doc = "names the run's folder and tables", .required = true}},
      {"description", &Heading::description, {.doc = "one line for people"}},
  };
  return table;
}

Json section(const Document& document, const std::string& name) {
  if (!document.root.contains(name)) return Json::object();
  const Json& value = document.root.at(name);
  if (!value.is_object())
    throw InputError(concat(document.location_of(name), ": ", name,
                            " is a value (it must be a table); "
                            "write [",
                            name, "]"));
  return value;
}

/// [sweep] without its seeds, which expand() reads.
Json heading_section(const Document& document) {
  Json heading = section(document, "sweep");
  heading.erase("seeds");
  return heading;
}

void check_sections(const Document& document) {
  const auto& known = top_keys();
  for (const auto& [key, value] : document.root.items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      throw InputError(
          concat(document.location_of(key), ": unknown key ", key, suggestion(key, known)));
}

/// The name becomes a folder.
void check_name(const Document& document, const std::string& name) {
  const bool safe = !name.empty() && name.size() <= 100 && name.front() != '.' &&
                    std::all_of(name.begin(), name.end(), [](unsigned char c) {
                      return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
                    });
  if (!safe)
    throw InputError(
        concat(document.location_of("sweep.name"), ": sweep.name = \"", name,
               "\" cannot name a folder; use letters, digits, '_', '-' and '.', at most 100"));
}

std::vector<Trial> resolve_trials(const Document& document, const Catalogue& catalogue) {
  std::vector<Trial> trials;
  TrialResolver resolver(document, catalogue);
  std::unordered_set<std::string> texts;
  for (const auto& settings : expand(document)) {
    trials.push_back(resolver.resolve(settings));
    std::string text;
    for (const auto& [name, member] : kComponents) text += (trials.back().*member).dump();
    if (texts.insert(std::move(text)).second) continue;
    std::vector<std::string> written;
    for (const auto& setting : settings)
      written.push_back(concat(setting.key, " = ", setting.value.dump()));
    throw InputError(concat(settings.empty() ? document.file : settings.back().location,
                            ": this trial is there twice (", join(written, ", "),
                            "); leave one of the two out"));
  }
  return trials;
}

/// What stands at `path` matches some trials, or it is a mistake.
std::vector<std::size_t> matching_table(const Document& document, TrialIndex& index,
                                        const Json& where, const std::string& path) {
  auto found = index.matching(read_conditions(document, where, path));
  if (found.empty())
    throw InputError(concat(document.location_of(path), ": ", path,
                            " matches no trial (it would do nothing, so it is likely a mistake); "
                            "correct or delete it"));
  return found;
}

void exclude(const Document& document, std::vector<Trial>& trials) {
  const auto tables = tables_of(document, "exclude");
  if (tables.empty()) return;
  TrialIndex index(trials);
  std::vector<bool> dropped(trials.size());
  for (const auto& [table, path] : tables) {
    if (table->empty())
      throw InputError(concat(document.location_of(path), ": ", path,
                              " is empty (it would drop every trial); give it conditions, such as "
                              "\"training.seed\" = 0"));
    for (const auto i : matching_table(document, index, *table, path)) dropped[i] = true;
  }
  std::vector<Trial> kept;
  for (std::size_t i = 0; i < trials.size(); ++i)
    if (!dropped[i]) kept.push_back(std::move(trials[i]));
  if (kept.empty())
    throw InputError(concat(document.location_of("exclude"),
                            ": exclude leaves no trial (there would be nothing to run); delete a "
                            "table of it"));
  trials = std::move(kept);
}

std::vector<Priority> read_priorities(const Document& document, const std::vector<Trial>& trials) {
  std::vector<Priority> priorities;
  const auto tables = tables_of(document, "priority");
  if (tables.empty()) return priorities;
  TrialIndex index(trials);
  for (const auto& [table, path] : tables) {
    for (const auto& [key, value] : table->items())
      if (const auto known = keys_of_section("priority");
          std::find(known.begin(), known.end(), key) == known.end())
        throw InputError(concat(document.location_of(concat(path, ".", key)), ": unknown key ",
                                path, ".", key, suggestion(key, known)));
    const Json where = table->value("where", Json()), value = table->value("value", Json());
    if (!where.is_object() || where.empty())
      throw InputError(concat(document.location_of(path), ": ", path,
                              " has no where (it says which trials are meant); write where = { "
                              "\"training.seed\" = 0 }"));
    const double number = value.is_number_integer() ? value.get<double>() : NAN;
    if (!(std::abs(number) <= kMaxPriority))
      throw InputError(concat(document.location_of(concat(path, ".value")), ": ", path,
                              ".value = ", value.dump(),
                              " is no priority (higher comes first); "
                              "give an integer in [",
                              -kMaxPriority, ", ", kMaxPriority, "]"));
    priorities.push_back(
        {where, static_cast<int>(number), matching_table(document, index, where, path + ".where")});
  }
  return priorities;
}

/// Choosing among many trainings by how they go makes the chosen look better than they are.
void check_search(const Document& document, const Sweep& sweep, const SearchOptions& search) {
  const bool biased = search.method != "none" || search.rule != "none";
  if (!biased || search.force) return;
  for (const auto& row : sweep.table.rows)
    if (!row.published.empty())
      throw InputError(
          concat(document.location_of("search"), ": search ",
                 search.rule == "none" ? "draws trials" : "stops trainings early",
                 " in a file that compares with published values (row \"", row.label,
                 "\": choosing by results makes the chosen look better than they are, which is no "
                 "fair comparison); delete [search] or the published values, or say search.force = "
                 "true"));
}

Trial resolve_attacker(const Document& document, const std::string& name,
                       const Catalogue& catalogue) {
  const std::string path = concat("attackers.", name);
  const auto refuse = [&](const std::string& what) {
    throw InputError(concat(document.location_of(path), ": ", path, what));
  };
  if (name == kSelf) refuse(" has a name that is kept for white-box columns; rename it");
  if (name.find('.') != std::string::npos) refuse(" has a dot in its name; rename it");
  if (!document.root.at("attackers").at(name).is_object())
    refuse(concat(" is a value (an attacker is a table of keys on top of the base); write [", path,
                  "]"));
  return TrialResolver(document, catalogue).resolve(settings_of(document, path));
}

/// Every attack that a preprocessor is trained on is there.
void check_training_attacks(const Document& document, const Sweep& sweep,
                            const Catalogue& catalogue) {
  std::vector<std::string> known;
  for (const auto& [key, attack] : sweep.attacks) known.push_back(key);
  for (const auto& key : training_attacks(sweep, catalogue))
    if (!sweep.attacks.contains(key))
      throw InputError(concat(document.location_of("preprocessor.training_attacks"),
                              ": preprocessor.training_attacks names \"", key,
                              "\", which is no table of [attacks]", suggestion(key, known)));
}

void flatten_into(const Json& object, const std::string& prefix,
                  const std::function<bool(const Json&)>& is_leaf,
                  std::map<std::string, Json>& leaves) {
  for (const auto& [key, value] : object.items()) {
    const std::string dotted = prefix.empty() ? key : prefix + "." + key;
    if (value.is_object() && !is_leaf(value)) {
      flatten_into(value, dotted, is_leaf, leaves);
    } else {
      leaves[dotted] = value;
    }
  }
}

constexpr int kUnset = std::numeric_limits<int>::min();

struct Values {
  const Json* first = nullptr;
  bool varies = false;
};

/// Of every key of one component. Trials next to each other mostly agree: only what differs from
/// the trial before is looked at.
std::map<std::string_view, Values> first_and_varying(const std::vector<Trial>& trials,
                                                     Json Trial::*member) {
  std::map<std::string_view, Values> keys;
  const Json* before = nullptr;
  for (const auto& trial : trials) {
    const Json& component = trial.*member;
    if (before != nullptr && *before == component) continue;
    before = &component;
    for (const auto& [key, value] : component.get_ref<const Json::object_t&>()) {
      Values& values = keys[key];
      if (values.first == nullptr) values.first = &value;
      if (!values.varies) values.varies = *values.first != value;
    }
  }
  return keys;
}

}  // namespace

const Json* Trial::find(std::string_view key) const {
  const auto cut = std::min(key.find('.'), key.size());
  for (const auto& [name, member] : kComponents) {
    if (key.substr(0, cut) != name || cut == key.size()) continue;
    const Json& component = this->*member;
    const auto value = component.find(key.substr(cut + 1));
    return value == component.end() ? nullptr : &*value;
  }
  return nullptr;
}

Json Trial::to_json() const {
  return {{"dataset", dataset},
          {"model", model},
          {"defence", defence},
          {"preprocessor", preprocessor},
          {"training", training}};
}

std::vector<std::string> training_attacks(const Trial& trial, const Catalogue& catalogue) {
  const auto& schema = catalogue.preprocessors.at(trial.preprocessor.at("name")).schema;
  if (find_option(schema, kTrainingAttacks) == nullptr) return {};
  return trial.preprocessor.at(kTrainingAttacks).get<std::vector<std::string>>();
}

std::set<std::string> training_attacks(const Sweep& sweep, const Catalogue& catalogue) {
  std::set<std::string> keys;
  const auto add = [&](const Trial& trial) {
    for (const auto& key : training_attacks(trial, catalogue)) keys.insert(key);
  };
  for (const auto& trial : sweep.trials) add(trial);
  for (const auto& [name, attacker] : sweep.attackers) add(attacker);
  add(sweep.attacker);
  return keys;
}

std::map<std::string, Json> flatten(const Json& object,
                                    const std::function<bool(const Json&)>& is_leaf) {
  std::map<std::string, Json> leaves;
  flatten_into(object, "", is_leaf, leaves);
  return leaves;
}

std::vector<std::string> known_keys(const std::vector<Trial>& trials) {
  std::vector<std::string> keys;
  for (const auto& [name, member] : kComponents)
    for (const auto& [key, values] : first_and_varying(trials, member))
      keys.push_back(concat(name, ".", key));
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::vector<int> trial_priorities(const Sweep& sweep) {
  std::vector<int> values(sweep.trials.size(), kUnset);
  for (const auto& priority : sweep.priorities)
    for (const auto trial : priority.trials)
      values[trial] = std::max(values[trial], priority.value);
  std::replace(values.begin(), values.end(), kUnset, 0);
  return values;
}

std::set<std::string> varying_keys(const std::vector<Trial>& trials) {
  std::set<std::string> varying;
  for (const auto& [name, member] : kComponents)
    for (const auto& [key, values] : first_and_varying(trials, member))
      if (values.varies) varying.insert(concat(name, ".", key));
  return varying;
}

Sweep resolve_sweep(const Document& document, const Catalogue& catalogue) {
  check_sections(document);
  const auto location_of = [&](const std::string& key) { return document.location_of(key); };
  const auto heading = read_options(
      heading_table(),
      resolve(describe(heading_table()), heading_section(document), "sweep", location_of));
  check_name(document, heading.name);
  Sweep sweep{.name = heading.name, .description = heading.description};
  sweep.run = resolve_run_options(section(document, "run"), location_of);
  slurm::resolve_options(section(document, "slurm"), location_of);
  const Json attacks = section(document, "attacks");
  for (const auto& [key, table] : attacks.items())
    sweep.attacks[key] = resolve_attack(document, key, catalogue);
  sweep.trials = resolve_trials(document, catalogue);
  exclude(document, sweep.trials);
  sweep.attacker = TrialResolver(document, catalogue).resolve(settings_of(document, "attacker"));
  const Json attackers = section(document, "attackers");
  for (const auto& [name, table] : attackers.items())
    sweep.attackers[name] = resolve_attacker(document, name, catalogue);
  check_training_attacks(document, sweep, catalogue);
  sweep.table = resolve_table(document, section(document, "table"), sweep, catalogue);
  sweep.priorities = read_priorities(document, sweep.trials);
  const SearchOptions search = resolve_search(document);
  check_search(document, sweep, search);
  sweep.early_stopping = search;
  return sweep;
}

}  // namespace sweep::plan
