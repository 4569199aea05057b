#include "core/document.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

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

/// `text` as a TOML value, or nothing.
std::optional<Json> toml_value(const std::string& text) {
  try {
    return parse_toml("value = " + text, "--set").root.at("value");
  } catch (const InputError&) {
    return std::nullopt;
  }
}

/// The parts of a dotted TOML key; quotes keep dots inside a part.
std::vector<std::string> key_parts(const std::string& dotted) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (const char c : dotted) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == '.' && !quoted) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
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

Document read_toml(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (!stream || !(text << stream.rdbuf()))
    throw InputError(concat("cannot read the sweep file '", path.string(), "' (",
                            errno != 0 ? std::strerror(errno) : "it is empty",
                            "); give the path of a TOML file"));
  return parse_toml(text.str(), path.string());
}

void apply_override(Document& document, const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    throw InputError(concat("--set ", assignment, " is no assignment; write --set key.subkey=value"));
  const std::string dotted = assignment.substr(0, equals);
  const std::string text = assignment.substr(equals + 1);
  Json* node = &document.root;
  std::string path;
  for (const auto& part : key_parts(dotted)) {
    if (!node->is_object())
      throw InputError(concat("--set ", assignment, ": ", path, " holds a value, not a table"));
    path = child_key(path, part);
    node = &(*node)[part];
    if (node->is_null()) *node = Json::object();
  }
  const auto value = toml_value(text);
  *node = value ? *value : Json(text);
  document.locations[path] = "--set " + assignment;
}

}  // namespace sweep
