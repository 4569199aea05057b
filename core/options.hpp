#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "core/json.hpp"

namespace sweep {

enum class OptionType { number, integer, boolean, text, numbers };

/// What a user may write for one option. Free of the types of the plugin, so that files can be
/// checked by programs that do not load LibTorch.
struct OptionInfo {
  std::string key;
  OptionType type = OptionType::number;
  Json default_value;  ///< null: the user must say it
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices;  ///< empty: any text
  std::string unit;
  std::string doc;
  bool location = false;     ///< says where an input is found, not what it is: kept out of artifact
                             ///< names
  std::string relative_key;  ///< may be given as a part of `relative_to` instead, under this key
  std::string relative_to;   ///< an option that stands before this one
};

using Schema = std::vector<OptionInfo>;

Json to_json(const Schema& schema);
Schema schema_from_json(const Json& json);

/// The range, choices and words of an option; its type and default come from the options struct.
struct OptionTraits {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices = {};
  std::string unit = "";
  std::string doc = "";
  bool location = false;
  bool required = false;
  std::string relative_key = "";
  std::string relative_to = "";
};

/// Binds a key of the sweep file to a member of a plain options struct.
template <class Options>
struct Option {
  std::string key;
  std::variant<double Options::*, std::int64_t Options::*, bool Options::*, std::string Options::*,
               std::vector<double> Options::*>
      member;
  OptionTraits traits;
};

template <class Options>
using OptionTable = std::vector<Option<Options>>;

OptionType option_type(const double&);
OptionType option_type(const std::int64_t&);
OptionType option_type(const bool&);
OptionType option_type(const std::string&);
OptionType option_type(const std::vector<double>&);

/// The table as data. Defaults are those of a default-constructed `Options`.
template <class Options>
Schema describe(const OptionTable<Options>& table) {
  const Options defaults{};
  Schema schema;
  for (const auto& [key, member, traits] : table) {
    std::visit(
        [&, &key = key, &traits = traits](auto pointer) {
          const auto& value = defaults.*pointer;
          schema.push_back({key, option_type(value), traits.required ? Json() : Json(value),
                            traits.min, traits.max, traits.choices, traits.unit, traits.doc,
                            traits.location, traits.relative_key, traits.relative_to});
        },
        member);
  }
  return schema;
}

/// The struct from options that `resolve` has checked and completed. Locations may be left out:
/// what has been made can be used wherever its inputs were.
template <class Options>
Options read_options(const OptionTable<Options>& table, const Json& resolved) {
  Options options{};
  for (const auto& [key, member, traits] : table)
    if (!traits.location || resolved.contains(key))
      std::visit([&, &key = key](auto pointer) { resolved.at(key).get_to(options.*pointer); },
                 member);
  return options;
}

/// Where a dotted key was written ("table1.toml:12:3"), for error messages.
using LocationOf = std::function<std::string(const std::string& dotted_key)>;

/// Checks `given` (an object of option values) against `schema` and adds the defaults.
/// Numbers may be written as fractions ("4/255"). What is given under a relative key is resolved to
/// the option itself. @throws InputError naming location and dotted
/// key.
Json resolve(const Schema& schema, const Json& given, const std::string& prefix,
             const LocationOf& location_of);

/// The resolved options without those that only say where an input is found; and those alone.
Json without_locations(const Schema& schema, Json resolved);
Json locations_of(const Schema& schema, const Json& resolved);

}  // namespace sweep
