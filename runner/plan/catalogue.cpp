#include "runner/plan/catalogue.hpp"

namespace sweep::plan {

extern const char* const kCatalogueText;  // generated (runner/plan/CMakeLists.txt)

namespace {

Plugins parse_plugins(const Json& json) {
  Plugins plugins;
  for (const auto& [name, plugin] : json.items())
    plugins[name] = {plugin.at("summary").get<std::string>(),
                     schema_from_json(plugin.at("schema"))};
  return plugins;
}

}  // namespace

Catalogue parse_catalogue(const Json& json) {
  Catalogue catalogue{parse_plugins(json.at("datasets")), parse_plugins(json.at("models")),
                      parse_plugins(json.at("defences")), parse_plugins(json.at("preprocessors")),
                      parse_plugins(json.at("attacks")),  schema_from_json(json.at("training"))};
  catalogue.preprocessors[kNoPreprocessor] = {"images go to the classifier as they are", {}};
  const Schema goal = schema_from_json(json.at("attack_goal"));
  for (auto& [name, attack] : catalogue.attacks)
    attack.schema.insert(attack.schema.end(), goal.begin(), goal.end());
  return catalogue;
}

const Catalogue& built_in_catalogue() {
  static const Catalogue catalogue = parse_catalogue(Json::parse(kCatalogueText));
  return catalogue;
}

}  // namespace sweep::plan
