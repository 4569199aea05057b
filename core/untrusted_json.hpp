#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.hpp"

namespace sweep {

/// The text as JSON; null where it is none, or nested so deeply (beyond 64 levels) that copying it
/// could overflow the stack.
Json parse_untrusted(std::string_view text);

/// The whole file. @throws InputError when it has more than `most_bytes` or is a folder or a
/// device, Error{storage} when it can't be read
std::string read_bounded(const std::filesystem::path& path, std::uintmax_t most_bytes);

/// Where a JSON value that nobody vouches for was read, for messages.
struct JsonOrigin {
  std::string place;   ///< "results/runs/table1/plan.json"
  std::string advice;  ///< what to do when it is damaged; behind "; "
};

/// @throws InputError "'PLACE' is damaged (WHAT); ADVICE"
[[noreturn]] void refuse_damaged(const JsonOrigin& origin, const std::string& what);

/// A value of untrusted JSON that knows its dotted key: every use states what is expected.
/// @throws InputError, all functions, naming the key that is something else. Refers to the JSON and
/// to its origin, which must outlive it.
class JsonNode {
 public:
  JsonNode(const Json& json, const JsonOrigin& origin, std::string key = "")
      : json_(&json), origin_(&origin), key_(std::move(key)) {}

  JsonNode at(const std::string& key) const;
  /// Nothing when it is missing or null.
  std::optional<JsonNode> find(const std::string& key) const;
  void for_each(const std::function<void(const JsonNode&)>& action) const;  ///< of a list
  std::vector<JsonNode> list() const;
  std::map<std::string, JsonNode> table() const;

  std::string text() const;
  bool boolean() const;
  std::int64_t integer() const;
  double number() const;  ///< finite
  double percent() const;
  /// The name of an artifact, which becomes the name of a file.
  std::string hash() const;
  const Json& object() const;

  const Json& json() const { return *json_; }
  bool is_null() const { return json_->is_null(); }
  void check(bool good, const std::string& what) const;  ///< "KEY is not WHAT"

 private:
  const Json* json_;
  const JsonOrigin* origin_;
  std::string key_;
};

}  // namespace sweep
