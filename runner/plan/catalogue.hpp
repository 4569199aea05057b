#pragma once

#include <map>
#include <string>

#include "core/json.hpp"
#include "core/options.hpp"

namespace sweep::plan {

/// preprocessor.name of a classifier that sees the images as they are.
inline constexpr char kNoPreprocessor[] = "none";

struct Plugin {
  std::string summary;
  Schema schema;
};
using Plugins = std::map<std::string, Plugin>;

/// Every plugin with its options. Written by `trial_executor describe` while the project is built
/// and compiled in, so that sweep files are checked without loading LibTorch (docs/decisions/003).
struct Catalogue {
  Plugins datasets, models, defences, preprocessors, attacks;
  Schema training;
};

Catalogue parse_catalogue(const Json& json);

/// The one of this build.
const Catalogue& built_in_catalogue();

}  // namespace sweep::plan
