#pragma once

#include "core/json.hpp"

namespace sweep::trainer {

/// Everything that a sweep file may name, from the registries of the running program:
/// {"datasets": {NAME: {"summary", "schema"}}, "models", "defences", "preprocessors", "attacks":
/// likewise,
///  "training": schema}. Schemas are those of core/options.hpp.
Json describe_plugins();

}  // namespace sweep::trainer
