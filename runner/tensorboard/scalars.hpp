#pragma once

#include <map>
#include <string>

#include "core/json.hpp"

namespace sweep::tensorboard {

/// The metrics of an epoch (runner/engine/messages.hpp) under the tags of event files:
/// "loss/total", "loss/classification", "loss/feature", "loss/reconstruction", "accuracy/train",
/// "learning_rate", "images_per_second". Null is NaN; what is no metric of these is left out.
std::map<std::string, double> scalars_of(const Json& metrics);

}  // namespace sweep::tensorboard
