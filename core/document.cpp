#include "core/document.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include <toml++/toml.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep {
namespace {

std::string position(const std::string& file, const toml::source_region& source) {
  return concat(file, ":", source.begin.line, ":", source.begin.column);
}

std::string child_key(const std::string& parent, std::string_view key) {
  return parent.empty() ? std::string(key) : concat(parent, ".", key);
}

/// Copies a TOML node into JSON and notes where each value stands.
class Converter {
 public:
  explicit Converter(Document& document) : document_(document) {}

  Json table(const toml::table& table, const std::string& dotted) {
    Json object = Json::object();
    for (const auto& [key, node] : table) {
      const std::string child = child_key(dotted, key.str());
      document_.locations[child] = position(document_.file, key.source());
      object[std::string(key.str())] = value(node, child);
    }
    return object;
  }

 private:
  Json array(const toml::array& array, const std::string& dotted) {
    Json list = Json::array();
    for (std::size_t i = 0; i < array.size(); ++i) {
      const std::string child = concat(dotted, "[", i, "]");
      document_.locations[child] = position(document_.file, array.get(i)->source());
      list.push_back(value(*array.get(i), child));
    }
    return list;
  }

  Json value(const toml::node& node, const std::string& dotted) {
    if (const auto* nested = node.as_table()) return table(*nested, dotted);
    if (const auto* nested = node.as_array()) return array(*nested, dotted);
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* integer = node.as_integer()) return integer->get();
    if (const auto* real = node.as_floating_point()) return real->get();
    if (const auto* boolean = node.as_boolean()) return boolean->get();
    throw InputError(concat(position(document_.file, node.source()), ": ", dotted,
                            " is a date or time (no key takes one); write a number or a text"));
  }

  Document& document_;
};

toml::array toml_array(const Json& list);

/// @param in_list  it is part of a table of a list: tables in it are written on one line
toml::table toml_table(const Json& object, bool in_list) {
  toml::table table;
  for (const auto& [key, value] : object.items()) {
    if (value.is_object()) {
      toml::table nested = toml_table(value, in_list);
      nested.is_inline(in_list);
      table.insert(key, std::move(nested));
    } else {
      // A list of one value converts the value.
      toml::array holder = toml_array(Json::array({value}));
      table.insert(key, std::move(*holder.get(0)));
    }
  }
  return table;
}

toml::array toml_array(const Json& list) {
  toml::array array;
  for (const auto& value : list) {
    const bool is_integer =
        value.is_number_integer() &&
        !(value.is_number_unsigned() &&
          value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()});
    if (value.is_object()) {
      array.push_back(toml_table(value, true));
    } else if (value.is_array()) {
      array.push_back(toml_array(value));
    } else if (value.is_string()) {
      array.push_back(value.get<std::string>());
    } else if (value.is_boolean()) {
      array.push_back(value.get<bool>());
    } else if (value.is_number_float()) {
      array.push_back(value.get<double>());
    } else if (is_integer) {
      array.push_back(value.get<std::int64_t>());
    } else {
      throw Error(FailureType::internal,
                  concat("TOML has no ", value.dump(), "; leave the key out"));
    }
  }
  return array;
}

/// The parts of a dotted TOML key (quotes keep dots inside a part), or nothing.
std::optional<std::vector<std::string>> key_parts(const std::string& dotted) {
  try {
    std::vector<std::string> parts;
    Json node = parse_toml(dotted + " = 0", "--set").root;
    while (node.is_object() && node.size() == 1) {
      parts.push_back(node.begin().key());
      node = Json(node.begin().value());
    }
    return node.is_number() ? std::optional(parts) : std::nullopt;
  } catch (const InputError&) {
    return std::nullopt;
  }
}

struct Assignment {
  std::vector<std::string> key;
  std::string value;
};

/// Cuts at the first '=' that leaves a key on its left: one in quotes does not.
Assignment parse_assignment(const std::string& text) {
  for (auto cut = text.find('='); cut != std::string::npos; cut = text.find('=', cut + 1))
    if (const auto key = key_parts(text.substr(0, cut))) return {*key, text.substr(cut + 1)};
  throw InputError(concat("--set ", text,
                          " is no assignment (a dotted key has to stand before an equals sign); "
                          "write --set key.subkey=value"));
}

bool is_below(const std::string& key, const std::string& parent) {
  return key.size() > parent.size() && key.compare(0, parent.size(), parent) == 0 &&
         (key[parent.size()] == '.' || key[parent.size()] == '[');
}

}  // namespace

std::string Document::location_of(const std::string& dotted_key) const {
  for (std::string key = dotted_key;;) {
    if (const auto found = locations.find(key); found != locations.end()) return found->second;
    const auto cut = key.find_last_of(".[");
    if (cut == std::string::npos) return file;
    key.resize(cut);
  }
}

Document parse_toml(const std::string& text, const std::string& file) {
  Document document{file};
  try {
    document.root = Converter(document).table(toml::parse(text, file), "");
  } catch (const toml::parse_error& error) {
    throw InputError(concat(position(file, error.source()), ": not valid TOML (",
                            error.description(), "); correct the file there"));
  }
  return document;
}

std::string to_toml(const Json& object) {
  if (!object.is_object())
    throw Error(FailureType::internal, "a TOML file is a table; write an object");
  // No strings over several lines: a line break at their start would be lost.
  std::ostringstream text;
  text << toml::toml_formatter(toml_table(object, false), toml::format_flags::none) << "\n";
  return text.str();
}

Document read_toml(const std::filesystem::path& path) {
  try {
    return parse_toml(read_text(path), path.string());
  } catch (const InputError&) {
    throw;
  } catch (const Error& error) {
    throw InputError(concat(error.what(), "; give the path of a TOML file"));
  }
}

std::optional<Json> toml_value(const std::string& text) {
  try {
    const Json parsed = parse_toml("value = " + text, "--set").root;
    // A line break would begin another key.
    return parsed.size() == 1 ? std::optional(parsed.at("value")) : std::nullopt;
  } catch (const InputError&) {
    return std::nullopt;
  }
}

std::string key_of_override(const std::string& assignment) {
  return join(parse_assignment(assignment).key, ".");
}

void apply_override(Document& document, const std::string& assignment) {
  const auto [key, text] = parse_assignment(assignment);
  Json* node = &document.root;
  std::string path;
  for (const auto& part : key) {
    if (!node->is_object())
      throw InputError(concat("--set ", assignment, ": ", path,
                              " holds a value (only tables have keys); set ", path,
                              " itself, or another key"));
    path = child_key(path, part);
    node = &(*node)[part];
    if (node->is_null()) *node = Json::object();
  }
  const auto value = toml_value(text);
  *node = value ? *value : Json(text);
  // What was written below the key in the file is gone.
  std::erase_if(document.locations,
                [&, &top = path](const auto& entry) { return is_below(entry.first, top); });
  document.locations[path] = "--set " + assignment;
}

}  // namespace sweep
