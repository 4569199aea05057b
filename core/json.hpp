#pragma once

#include <nlohmann/json.hpp>

namespace sweep {

/// Objects keep their keys sorted, so that dump() of equal values is equal text: specs are hashed
/// by it.
using Json = nlohmann::json;

}  // namespace sweep
