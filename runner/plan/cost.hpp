#pragma once

#include "core/json.hpp"

namespace sweep::plan {

/// Work per image in forward and backward passes of the classifier: only ratios matter, for the
/// order of the queue and the ETA.
double training_passes(const Json& defence, const Json& training);
double attack_passes(const Json& attack);

}  // namespace sweep::plan
