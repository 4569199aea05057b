#pragma once

#include <nlohmann/json.hpp>
#include <optional>

namespace sweep {

/// Objects keep their keys sorted, so that dump() of equal values is equal text: specs are hashed
/// by it.
using Json = nlohmann::json;

/// The value, or null.
template <class T>
Json optional_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

}  // namespace sweep
