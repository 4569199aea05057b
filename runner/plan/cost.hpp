#pragma once

#include "core/json.hpp"

namespace sweep::plan {

/// The cost of putting the shards of an adversarial set together: next to nothing.
inline constexpr double kJoiningCost = 1;

/// Work per image in forward and backward passes of the classifier: only ratios matter, for the
/// order of the queue and the ETA.
double training_passes(const Json& defence, const Json& training);
double attack_passes(const Json& attack);
/// @param sets  adversarial counterparts of each image that it is trained on
double preprocessor_passes(const Json& preprocessor, std::size_t sets);

}  // namespace sweep::plan
