#pragma once

#include <string>

#include "core/json.hpp"

namespace sweep::data {

/// The card of a dataset artifact (docs/datasets.md) for people: a table of counts, what was
/// skipped and noted, checksums.
std::string card_text(const Json& card);

}  // namespace sweep::data
