#include "runner/plan/trials.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/plan/weights.hpp"

namespace sweep::plan {
namespace {

std::vector<std::string> names_of(const Plugins& plugins) {
  std::vector<std::string> names;
  for (const auto& [name, plugin] : plugins) names.push_back(name);
  return names;
}

/// A component's table with its settings, and where each of its keys was written.
struct Written {
  Json table = Json::object();
  std::map<std::string, std::string> locations;
};

bool knows(const Schema& schema, const std::string& key) {
  return std::any_of(schema.begin(), schema.end(), [&](const OptionInfo& option) {
    return option.key == key || option.relative_key == key;
  });
}

bool knows(const Plugins& plugins, const Json& name, const std::string& key) {
  const auto plugin = plugins.find(name.is_string() ? name.get<std::string>() : "");
  return plugin != plugins.end() && knows(plugin->second.schema, key);
}

/// Leaves out what belongs to the base's plugin alone when another one takes its place. What
/// neither knows stays, and is refused.
void change_plugin(Json& table, const Json& new_name, const Plugins& plugins) {
  const Json old_name = table.value("name", Json());
  Json kept = Json::object();
  for (const auto& [key, value] : table.items())
    if (knows(plugins, new_name, key) || !knows(plugins, old_name, key)) kept[key] = value;
  table = std::move(kept);
}

/// Takes the tables of plugins, such as [defence.denoising], out of the component's and puts the
/// options of the chosen plugin in their place.
void unpack_plugin_tables(const Document& document, const std::string& component,
                          const Json& chosen, const Plugins& plugins, Written& result) {
  for (const auto& [name, plugin] : plugins) {
    if (!result.table.contains(name) || !result.table.at(name).is_object()) continue;
    const Json options = result.table.at(name);
    result.table.erase(name);
    for (const auto& [key, value] : options.items()) {
      const std::string written = concat(component, ".", name, ".", key);
      if (!knows(plugin.schema, key)) {
        std::vector<std::string> keys;
        for (const auto& option : plugin.schema) keys.push_back(option.key);
        throw InputError(concat(document.location_of(written), ": unknown key ", written,
                                suggestion(key, keys)));
      }
      if (chosen != name) continue;
      if (result.table.contains(key))
        throw InputError(concat(document.location_of(written), ": ", written, " is given as ",
                                component, ".", key, " as well (which one holds?); delete one"));
      result.table[key] = value;
      result.locations[concat(component, ".", key)] = document.location_of(written);
    }
  }
}

Written overlay(const Document& document, const std::string& component, const Settings& settings,
                const Plugins& plugins) {
  Written result;
  if (document.root.contains(component)) result.table = document.root.at(component);
  if (!result.table.is_object())
    throw InputError(concat(document.location_of(component), ": ", component,
                            " is a value (it must be a table); write [", component, "]"));
  if (component == "preprocessor") result.table.emplace("name", kNoPreprocessor);
  const std::string prefix = component + ".";
  Json chosen = result.table.value("name", Json());
  for (const auto& setting : settings) {
    if (setting.key != prefix + "name" || setting.value == chosen) continue;
    change_plugin(result.table, setting.value, plugins);
    chosen = setting.value;
  }
  unpack_plugin_tables(document, component, chosen, plugins, result);
  for (const auto& setting : settings) {
    if (setting.key.rfind(prefix, 0) != 0) continue;
    result.table[setting.key.substr(prefix.size())] = setting.value;
    result.locations[setting.key] = setting.location;
  }
  return result;
}

LocationOf locate(const Document& document, const Written& component) {
  return [&](const std::string& key) {
    const auto found = component.locations.find(key);
    return found == component.locations.end() ? document.location_of(key) : found->second;
  };
}

/// Checks the plugin's name (under `name_key`) and its options.
Json resolve_plugin(const Json& table, const std::string& prefix, const std::string& name_key,
                    const Plugins& plugins, const LocationOf& location_of) {
  const std::string dotted = concat(prefix, ".", name_key);
  const auto names = names_of(plugins);
  if (!table.contains(name_key))
    throw InputError(concat(location_of(prefix), ": ", dotted,
                            " is missing (it says which one to use); "
                            "give one of: ",
                            join(names, ", ")));
  const Json& name = table.at(name_key);
  if (!name.is_string() || !plugins.contains(name.get<std::string>()))
    throw InputError(concat(location_of(dotted), ": ", dotted, " = ", name.dump(), " is unknown",
                            suggestion(name.is_string() ? name.get<std::string>() : "", names)));
  Json options = table;
  options.erase(name_key);
  Json resolved = resolve(plugins.at(name.get<std::string>()).schema, options, prefix, location_of);
  resolved[name_key] = name;
  return resolved;
}

/// A defence that learns from a teacher names the defence that this one is trained with.
void check_teacher(const Document& document, const Json& defence, const Catalogue& catalogue) {
  if (!defence.contains("teacher")) return;
  const std::string key = "defence.teacher";
  const auto refuse = [&](const std::string& what) {
    throw InputError(concat(document.location_of(key), ": ", key, " = ",
                            defence.at("teacher").dump(), " ", what));
  };
  const auto teacher = catalogue.defences.find(defence.at("teacher").get<std::string>());
  if (teacher == catalogue.defences.end())
    refuse(concat("is no defence", suggestion(defence.at("teacher").get<std::string>(),
                                              names_of(catalogue.defences))));
  for (const auto& option : teacher->second.schema) {
    if (option.key == "teacher") refuse("needs a teacher itself; choose a defence that needs none");
    if (option.default_value.is_null() && !defence.contains(option.key))
      refuse(concat("needs the option ", option.key, ", which ", defence.at("name").dump(),
                    " does not have; choose another defence"));
  }
}

}  // namespace

void check_setting_key(const std::string& key, const std::string& location) {
  const auto parts = split(key, '.');
  const bool known = parts.size() > 1 && std::any_of(std::begin(kComponents), std::end(kComponents),
                                                     [&](const Component& component) {
                                                       return component.name == parts.front();
                                                     });
  if (!known)
    throw InputError(concat(location, ": unknown key ", key,
                            " (a trial is made of dataset, model, defence, preprocessor and "
                            "training); write a key below one of these, such as training.seed"));
}

Settings settings_of(const Document& document, const std::string& section) {
  Settings settings;
  Json table = document.root;
  for (const auto& part : split(section, '.')) table = table.value(part, Json::object());
  for (const auto& [key, value] : flatten(table)) {
    settings.push_back({key, value, document.location_of(concat(section, ".", key))});
    check_setting_key(key, settings.back().location);
  }
  return settings;
}

Json TrialResolver::component(const std::string& name, const Plugins& plugins,
                              const Settings& settings) {
  const std::string prefix = name + ".";
  std::string text = prefix;
  for (const auto& setting : settings)
    if (setting.key.starts_with(prefix)) text += setting.key + "=" + setting.value.dump() + "\n";
  if (const auto known = known_.find(text); known != known_.end()) return known->second;

  const Written written = overlay(document_, name, settings, plugins);
  const LocationOf location_of = locate(document_, written);
  Json resolved = name == "training"
                      ? sweep::resolve(catalogue_.training, written.table, name, location_of)
                      : resolve_plugin(written.table, name, "name", plugins, location_of);
  if (name == "model") check_weights(resolved, location_of);
  if (name == "defence") check_teacher(document_, resolved, catalogue_);
  return known_.emplace(std::move(text), std::move(resolved)).first->second;
}

Trial TrialResolver::resolve(const Settings& settings) {
  return {component("dataset", catalogue_.datasets, settings),
          component("model", catalogue_.models, settings),
          component("defence", catalogue_.defences, settings),
          component("preprocessor", catalogue_.preprocessors, settings),
          component("training", {}, settings)};
}

Json resolve_attack(const Document& document, const std::string& key, const Catalogue& catalogue) {
  const std::string prefix = concat("attacks.", key);
  const Json& table = document.root.at("attacks").at(key);
  if (!table.is_object())
    throw InputError(concat(document.location_of(prefix), ": ", prefix,
                            " is a value (an attack is a "
                            "table); write [",
                            prefix, "] with its method and options"));
  return resolve_plugin(table, prefix, "method", catalogue.attacks,
                        [&](const std::string& dotted) { return document.location_of(dotted); });
}

}  // namespace sweep::plan
