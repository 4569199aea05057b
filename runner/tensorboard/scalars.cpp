#include "runner/tensorboard/scalars.hpp"

#include <array>
#include <limits>
#include <utility>

namespace sweep::tensorboard {
namespace {

/// Names in trainer/metrics.hpp and tags.
constexpr std::array<std::pair<const char*, const char*>, 7> kTags{{
    {"loss", "loss/total"},
    {"classification", "loss/classification"},
    {"feature", "loss/feature"},
    {"reconstruction", "loss/reconstruction"},
    {"accuracy", "accuracy/train"},
    {"learning_rate", "learning_rate"},
    {"images_per_second", "images_per_second"},
}};

}  // namespace

std::map<std::string, double> scalars_of(const Json& metrics) {
  std::map<std::string, double> scalars;
  for (const auto& [name, tag] : kTags) {
    const auto metric = metrics.find(name);
    if (metric == metrics.end()) continue;
    if (metric->is_number()) scalars[tag] = metric->get<double>();
    if (metric->is_null()) scalars[tag] = std::numeric_limits<double>::quiet_NaN();
  }
  return scalars;
}

}  // namespace sweep::tensorboard
