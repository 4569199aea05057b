#include "core/untrusted_json.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <system_error>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep {
namespace {

/// The deepest nesting of brackets outside of texts. Counted in front: a parser that asks after
/// every value takes twice the time.
int depth_of(std::string_view text) {
  int depth = 0, deepest = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (in_text && letter == '\\') ++i;
    if (letter == '"') in_text = !in_text;
    if (in_text) continue;
    if (letter == '[' || letter == '{') deepest = std::max(deepest, ++depth);
    if (letter == ']' || letter == '}') --depth;
  }
  return deepest;
}

}  // namespace

Json parse_untrusted(std::string_view text) {
  constexpr int kDeepest = 64;
  if (depth_of(text) > kDeepest) return {};
  Json json = Json::parse(text, nullptr, false);
  return json.is_discarded() ? Json() : json;
}

std::string read_bounded(const std::filesystem::path& path, std::uintmax_t most_bytes) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    throw InputError(concat("'", path.string(),
                            "' is not a file (it can't be read to its end); "
                            "remove it and run the sweep again, which writes it anew"));
  const auto bytes = std::filesystem::file_size(path, error);
  if (!error && bytes > most_bytes)
    throw InputError(concat("'", path.string(), "' has ", bytes, " bytes (such a file has at most ",
                            most_bytes, "); run the sweep again, which writes it anew"));
  return read_text(path);
}

void refuse_damaged(const JsonOrigin& origin, const std::string& what) {
  throw InputError(concat("'", origin.place, "' is damaged (", what, "); ", origin.advice));
}

void JsonNode::check(bool good, const std::string& what) const {
  if (!good) refuse_damaged(*origin_, concat(key_.empty() ? "the file" : key_, " is not ", what));
}

JsonNode JsonNode::at(const std::string& key) const {
  check(json_->is_object(), "a table");
  const auto found = json_->find(key);
  std::string dotted = key_.empty() ? key : key_ + '.' + key;
  if (found == json_->end()) refuse_damaged(*origin_, dotted + " is missing");
  return {*found, *origin_, std::move(dotted)};
}

std::optional<JsonNode> JsonNode::find(const std::string& key) const {
  check(json_->is_object(), "a table");
  const auto found = json_->find(key);
  if (found == json_->end() || found->is_null()) return std::nullopt;
  return JsonNode(*found, *origin_, key_.empty() ? key : key_ + '.' + key);
}

void JsonNode::for_each(const std::function<void(const JsonNode&)>& action) const {
  check(json_->is_array(), "a list");
  for (std::size_t i = 0; i < json_->size(); ++i)
    action({(*json_)[i], *origin_, key_ + '[' + std::to_string(i) + ']'});
}

std::vector<JsonNode> JsonNode::list() const {
  std::vector<JsonNode> nodes;
  for_each([&](const JsonNode& node) { nodes.push_back(node); });
  return nodes;
}

std::map<std::string, JsonNode> JsonNode::table() const {
  check(json_->is_object(), "a table");
  std::map<std::string, JsonNode> nodes;
  for (const auto& [key, value] : json_->items())
    nodes.emplace(key, JsonNode(value, *origin_, key_ + '.' + key));
  return nodes;
}

std::string JsonNode::text() const {
  check(json_->is_string(), "a text");
  return json_->get<std::string>();
}

bool JsonNode::boolean() const {
  check(json_->is_boolean(), "true or false");
  return json_->get<bool>();
}

std::int64_t JsonNode::integer() const {
  constexpr std::uint64_t kLargest{std::numeric_limits<std::int64_t>::max()};
  const bool fits = json_->is_number_unsigned() ? json_->get<std::uint64_t>() <= kLargest
                                                : json_->is_number_integer();
  check(fits, "an integer of 64 bit");
  return json_->get<std::int64_t>();
}

double JsonNode::number() const {
  check(json_->is_number() && std::isfinite(json_->get<double>()), "a number");
  return json_->get<double>();
}

double JsonNode::percent() const {
  const double value = json_->is_number() ? json_->get<double>() : -1;
  check(value >= 0 && value <= 100, "a number from 0 to 100");
  return value;
}

std::string JsonNode::hash() const {
  std::string name = text();
  const bool safe = !name.empty() && name.size() <= 128 && name.front() != '.' &&
                    std::all_of(name.begin(), name.end(), [](unsigned char letter) {
                      return std::isalnum(letter) != 0 || letter == '.' || letter == '_';
                    });
  check(safe, "the name of an artifact");
  return name;
}

const Json& JsonNode::object() const {
  check(json_->is_object(), "a table");
  return *json_;
}

}  // namespace sweep
