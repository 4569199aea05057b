#include "core/options.hpp"

#include <algorithm>
#include <cmath>

#include "core/enum_names.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep {
namespace {

constexpr EnumNames<OptionType, 6> kTypeNames{{{
    {OptionType::number, "number"},
    {OptionType::integer, "integer"},
    {OptionType::boolean, "true or false"},
    {OptionType::text, "text"},
    {OptionType::numbers, "list of numbers"},
    {OptionType::texts, "list of texts"},
}}};

Json limit_to_json(double limit) {
  return std::isfinite(limit) ? Json(limit) : Json();
}

double limit_from_json(const Json& json, double otherwise) {
  return json.is_null() ? otherwise : json.get<double>();
}

/// "4/255" as a number; nothing when the text is not a fraction.
std::optional<double> fraction(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  try {
    std::size_t used = 0, used_below = 0;
    const double above = std::stod(text.substr(0, slash), &used);
    const double below = std::stod(text.substr(slash + 1), &used_below);
    if (used != slash || used_below != text.size() - slash - 1 || below == 0) return std::nullopt;
    return above / below;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

/// The value in the option's own type, so that 1 and 1.0 make the same artifact name.
std::optional<Json> converted(OptionType type, const Json& value) {
  switch (type) {
    case OptionType::number:
      if (const auto n = number_of(value)) return Json(*n + 0.0);  // -0 is 0
      return std::nullopt;
    case OptionType::integer:
      if (value.is_number_integer()) return value;
      return std::nullopt;
    case OptionType::boolean:
      if (value.is_boolean()) return value;
      return std::nullopt;
    case OptionType::text:
      if (value.is_string()) return value;
      return std::nullopt;
    case OptionType::numbers: {
      if (!value.is_array()) return std::nullopt;
      Json list = Json::array();
      for (const auto& element : value) {
        const auto n = number_of(element);
        if (!n) return std::nullopt;
        list.push_back(*n + 0.0);
      }
      return list;
    }
    case OptionType::texts:
      if (value.is_array() && std::all_of(value.begin(), value.end(),
                                          [](const Json& text) { return text.is_string(); }))
        return value;
      return std::nullopt;
  }
  return std::nullopt;
}

std::string range_text(const OptionInfo& option) {
  const std::string low = std::isfinite(option.min) ? concat(option.min) : "-inf";
  const std::string high = std::isfinite(option.max) ? concat(option.max) : "inf";
  return concat("[", low, ", ", high, "]", option.unit.empty() ? "" : " " + option.unit);
}

void check_range(const OptionInfo& option, double value, const std::function<std::string()>& where,
                 const Json& written) {
  // JSON has no infinity: it would become null in a spec.
  if (std::isfinite(value) && value >= option.min && value <= option.max) return;
  throw InputError(concat(where(), " = ", written.dump(), " is out of range (", option.doc,
                          "); give a value in ", range_text(option)));
}

/// @param where  makes the text for messages: it costs more than the check
void check_value(const OptionInfo& option, const Json& value,
                 const std::function<std::string()>& where, const Json& written) {
  if (value.is_number()) check_range(option, value.get<double>(), where, written);
  if (option.type == OptionType::numbers)
    for (const auto& element : value) check_range(option, element.get<double>(), where, written);
  if (value.is_string() && !option.choices.empty()) {
    const auto& text = value.get_ref<const std::string&>();
    if (std::find(option.choices.begin(), option.choices.end(), text) == option.choices.end())
      throw InputError(
          concat(where(), " = ", written.dump(), " is unknown", suggestion(text, option.choices)));
  }
}

std::vector<std::string> keys_of(const Schema& schema) {
  std::vector<std::string> keys;
  for (const auto& option : schema) {
    keys.push_back(option.key);
    if (!option.relative_key.empty()) keys.push_back(option.relative_key);
  }
  return keys;
}

/// Where options are written, for messages.
struct Place {
  const std::string& prefix;
  const LocationOf& location_of;

  std::string dotted(const std::string& key) const { return concat(prefix, ".", key); }
  std::string of(const std::string& key) const {
    return concat(location_of(dotted(key)), ": ", dotted(key));
  }
};

/// `written` under `key`, in the option's type.
Json checked_value(const OptionInfo& option, const std::string& key, const Json& written,
                   const Place& place) {
  const auto value = converted(option.type, written);
  if (!value)
    throw InputError(concat(place.of(key), " = ", written.dump(), " has the wrong type (",
                            option.doc, "); it takes: ", kTypeNames.name(option.type),
                            option.unit.empty() ? "" : " in " + option.unit));
  return *value;
}

Json resolve_relative(const OptionInfo& option, const Json& given, const Json& resolved,
                      const Place& place) {
  if (given.contains(option.key))
    throw InputError(concat(place.of(option.relative_key), " is given beside ",
                            place.dotted(option.key),
                            " (both say the same thing); leave one of them out"));
  const Json& written = given.at(option.relative_key);
  const double part = checked_value(option, option.relative_key, written, place).get<double>();
  const Json value = part * resolved.at(option.relative_to).get<double>();
  check_value(
      option, value, [&] { return place.of(option.relative_key); }, written);
  return value;
}

Json resolve_option(const OptionInfo& option, const Json& given, const Json& resolved,
                    const Place& place) {
  if (!option.relative_key.empty() && given.contains(option.relative_key))
    return resolve_relative(option, given, resolved, place);
  if (given.contains(option.key)) {
    const Json& written = given.at(option.key);
    const Json value = checked_value(option, option.key, written, place);
    check_value(
        option, value, [&] { return place.of(option.key); }, written);
    return value;
  }
  if (!option.default_value.is_null()) return option.default_value;
  const std::string relative = option.relative_key.empty()
                                   ? ""
                                   : concat(", or ", place.dotted(option.relative_key),
                                            ", its part of ", option.relative_to);
  throw InputError(concat(place.location_of(place.prefix), ": ", place.dotted(option.key), relative,
                          " is missing (", option.doc, "); it has no default, so say it"));
}

}  // namespace

std::optional<double> number_of(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return fraction(value.get<std::string>());
  return std::nullopt;
}

OptionType option_type(const double&) {
  return OptionType::number;
}
OptionType option_type(const std::int64_t&) {
  return OptionType::integer;
}
OptionType option_type(const bool&) {
  return OptionType::boolean;
}
OptionType option_type(const std::string&) {
  return OptionType::text;
}
OptionType option_type(const std::vector<double>&) {
  return OptionType::numbers;
}
OptionType option_type(const std::vector<std::string>&) {
  return OptionType::texts;
}

Json to_json(const Schema& schema) {
  Json list = Json::array();
  for (const auto& option : schema)
    list.push_back({{"key", option.key},
                    {"type", kTypeNames.name(option.type)},
                    {"default", option.default_value},
                    {"min", limit_to_json(option.min)},
                    {"max", limit_to_json(option.max)},
                    {"choices", option.choices},
                    {"unit", option.unit},
                    {"doc", option.doc},
                    {"location", option.location},
                    {"relative_key", option.relative_key},
                    {"relative_to", option.relative_to}});
  return list;
}

Schema schema_from_json(const Json& json) {
  Schema schema;
  for (const auto& entry : json) {
    OptionInfo option;
    option.key = entry.at("key").get<std::string>();
    option.type = kTypeNames.value(entry.at("type").get<std::string>()).value();
    option.default_value = entry.at("default");
    option.min = limit_from_json(entry.at("min"), option.min);
    option.max = limit_from_json(entry.at("max"), option.max);
    option.choices = entry.at("choices").get<std::vector<std::string>>();
    option.unit = entry.at("unit").get<std::string>();
    option.doc = entry.at("doc").get<std::string>();
    option.location = entry.at("location").get<bool>();
    option.relative_key = entry.at("relative_key").get<std::string>();
    option.relative_to = entry.at("relative_to").get<std::string>();
    schema.push_back(std::move(option));
  }
  return schema;
}

Json resolve(const Schema& schema, const Json& given, const std::string& prefix,
             const LocationOf& location_of) {
  if (!given.is_object() && !given.is_null())
    throw InputError(concat(location_of(prefix), ": ", prefix, " = ", given.dump(),
                            " is a value (its options would be lost); write it as a table"));
  for (const auto& [key, value] : given.items()) {
    if (std::any_of(schema.begin(), schema.end(), [&, &key = key](const OptionInfo& option) {
          return option.key == key || (!key.empty() && option.relative_key == key);
        }))
      continue;
    const std::string dotted = concat(prefix, ".", key);
    throw InputError(
        concat(location_of(dotted), ": unknown key ", dotted, suggestion(key, keys_of(schema))));
  }
  Json resolved = Json::object();
  for (const auto& option : schema)
    resolved[option.key] = resolve_option(option, given, resolved, {prefix, location_of});
  return resolved;
}

Json without_locations(const Schema& schema, Json resolved) {
  for (const auto& option : schema)
    if (option.location) resolved.erase(option.key);
  return resolved;
}

Json locations_of(const Schema& schema, const Json& resolved) {
  Json locations = Json::object();
  for (const auto& option : schema)
    if (option.location && resolved.contains(option.key))
      locations[option.key] = resolved.at(option.key);
  return locations;
}

const OptionInfo* find_option(const Schema& schema, const std::string& key) {
  const auto found = std::find_if(schema.begin(), schema.end(),
                                  [&](const OptionInfo& option) { return option.key == key; });
  return found == schema.end() ? nullptr : &*found;
}

}  // namespace sweep
