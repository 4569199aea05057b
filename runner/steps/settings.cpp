#include "runner/steps/settings.hpp"

#include "core/document.hpp"
#include "core/text.hpp"

namespace sweep::steps {

Json resolve_settings(const Schema& schema, const std::vector<Setting>& settings,
                      const std::string& prefix, const std::string& chooser) {
  Document document{chooser};
  for (const auto& setting : settings) {
    const std::string dotted = concat(prefix, ".", setting.key);
    if (document.locations.contains(dotted))
      throw InputError(concat(setting.written, ": ", dotted, " is already given by ",
                              document.locations.at(dotted), "; leave one of them out"));
    apply_override(document, concat(dotted, "=", setting.value));
    document.locations[dotted] = setting.written;
  }
  return resolve(schema, document.root.value(prefix, Json::object()), prefix,
                 [&](const std::string& key) { return document.location_of(key); });
}

}  // namespace sweep::steps
