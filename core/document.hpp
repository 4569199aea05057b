#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "core/json.hpp"

namespace sweep {

/// A TOML file as JSON, which remembers where each value was written.
struct Document {
  std::string file;
  Json root = Json::object();
  std::map<std::string, std::string> locations;  ///< dotted key -> "table1.toml:12:3"

  /// Location of the key, of its nearest parent that has one, or the file's name.
  std::string location_of(const std::string& dotted_key) const;
};

/// @throws InputError with file:line:column when the file can't be read or is not TOML.
Document read_toml(const std::filesystem::path& path);
Document parse_toml(const std::string& text, const std::string& file);

/// The object as the text of a TOML file, which parse_toml reads back with equal values of equal
/// types. Tables in lists of tables are written on one line.
/// @throws Error{internal} for what TOML does not have: null, integers beyond 64 bit, a value that
/// is no object at the top
std::string to_toml(const Json& object);

/// `text` as a TOML value such as 0.1, "x", [1, 2] or {a = 1}, or nothing.
std::optional<Json> toml_value(const std::string& text);

/// The dotted key of what apply_override takes.
/// @throws InputError where it is no assignment.
std::string key_of_override(const std::string& assignment);

/// Applies "a.b=v" (the text behind --set). `v` is a TOML value; what is not one is taken as text.
/// Key parts that contain dots are quoted as in TOML: grid."training.seed"=[0, 1].
void apply_override(Document& document, const std::string& assignment);

}  // namespace sweep
