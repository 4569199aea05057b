#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace sweep::bin {

/// A step that `sweep_runner NAME` does on files of the user. It needs LibTorch, which sweep_runner
/// does not load: trial_executor does it.
struct StepName {
  const char* name;
  const char* summary;
};

inline constexpr std::array<StepName, 5> kSteps{{
    {"train", "A classifier, with or without a defence, from a set of images"},
    {"predict", "Logits and predictions of a classifier for a set of images"},
    {"attack", "Adversarial images of a set of images, and how a classifier takes them"},
    {"evaluate", "How a classifier takes an adversarial set, or any set of images"},
    {"weights", "The classifier of a sweep as a file of weights that torchvision loads"},
}};

inline bool is_step(std::string_view name) {
  return std::any_of(kSteps.begin(), kSteps.end(),
                     [&](const StepName& step) { return name == step.name; });
}

}  // namespace sweep::bin
