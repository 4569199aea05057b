#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/options.hpp"

namespace at {
class Tensor;
}

namespace sweep::attacks {

struct Goal;

/// What every attack may be asked for, whatever its method.
struct GoalOptions {
  std::string label_source = "true";  ///< "true" or "predicted"
  std::string target = "none";        ///< "none", "next" or "least_likely"
  std::string precision = "float32";  ///< in which the attacked model computes for the attack
};

const OptionTable<GoalOptions>& goal_options();

/// The goal of a batch whose first image is number `first_image` of its set.
/// @param labels        [N] int64, the true ones
/// @param clean_logits  gives the attacked model's logits [N,K] of the clean images; called where
///                      the options need them
Goal make_goal(const GoalOptions& options, const at::Tensor& labels,
               const std::function<at::Tensor()>& clean_logits, std::int64_t first_image);

}  // namespace sweep::attacks
