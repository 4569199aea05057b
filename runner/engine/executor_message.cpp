#include "runner/engine/executor_message.hpp"

#include "core/error.hpp"
#include "core/untrusted_json.hpp"

namespace sweep::engine {
namespace {

Json progress(const JsonNode& said) {
  Json message{{"fraction", said.at("fraction").number()}, {"text", said.at("text").text()}};
  // null: not a number.
  for (const char* key : {"epoch", "loss", "images_per_second", "memory_bytes"})
    if (const auto value = said.find(key)) message[key] = value->number();
  return message;
}

Json epoch(const JsonNode& said) {
  Json metrics = Json::object();
  for (const auto& [name, value] : said.at("metrics").table())
    metrics[name] = value.is_null() ? Json() : Json(value.number());
  return {{"epoch", said.at("epoch").integer()},
          {"step", said.at("step").integer()},
          {"metrics", metrics}};
}

Json failed(const JsonNode& said) {
  const std::string failure = said.at("failure").text();
  failure_type_from(failure);
  return {{"failure", failure}, {"message", said.at("message").text()}};
}

/// That the memory is there is looked at by whoever uses it (Collectives).
Json reduce(const JsonNode& said) {
  return {{"sequence", said.at("sequence").integer()},
          {"memory", said.at("memory").integer()},
          {"count", said.at("count").integer()},
          {"element", said.at("element").text()},
          {"reduction", said.at("reduction").text()}};
}

std::optional<Json> checked(const JsonNode& said) {
  const std::string type = said.at("type").text();
  Json message = Json::object();
  if (type == "progress")
    message = progress(said);
  else if (type == "epoch")
    message = epoch(said);
  else if (type == "failed")
    message = failed(said);
  else if (type == "reduce")
    message = reduce(said);
  else if (type != "alive" && type != "done" && type != "stopped" && type != "pruned")
    return std::nullopt;
  message["type"] = type;
  return message;
}

}  // namespace

std::optional<Json> parse_executor_message(std::string_view line) {
  const JsonOrigin origin{"executor", ""};
  const Json json = parse_untrusted(line);
  try {
    return checked(JsonNode(json, origin));
  } catch (const Error&) {  // a key is missing or of another type
    return std::nullopt;
  }
}

}  // namespace sweep::engine
