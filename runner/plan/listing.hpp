#pragma once

#include <string>
#include <vector>

#include "runner/plan/catalogue.hpp"

namespace sweep::plan {

/// "attacks", "datasets", "defences", "models", "preprocessors", "reference", "run",
/// "training": what list() can show.
const std::vector<std::string>& listed_kinds();

/// Every plugin of a kind with its options, or the options of a section: name, default, range,
/// unit, meaning. "reference" is all of
/// it as Markdown. @throws InputError for an unknown kind.
std::string list(const Catalogue& catalogue, const std::string& kind);

}  // namespace sweep::plan
