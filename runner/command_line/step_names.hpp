#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace sweep::command_line {

/// A step that `sweep_runner NAME` does on files of the user. It needs LibTorch, which sweep_runner
/// does not load: trial_executor does it.
struct StepName {
  const char* name;
  const char* summary;
  const char* examples;  ///< below its own --help
};

inline constexpr std::array<StepName, 6> kSteps{{
    {"train", "A classifier, with or without a defence, from a set of images",
     "\n  sweep_runner train --arch resnet18 --images train.h5 --defence denoising \\\n"
     "      --set defence.lambda_n=1 --set training.epochs=20 --out defended.safetensors"},
    {"predict", "Logits and predictions of a classifier for a set of images",
     "\n  sweep_runner predict --arch resnet18 --num-classes 4 --weights w.safetensors \\\n"
     "      --images test.h5 --out logits.h5"},
    {"attack", "Adversarial images of a set of images, and how a classifier takes them",
     "\n  sweep_runner attack --arch resnet18 --num-classes 4 --weights w.safetensors \\\n"
     "      --images test.h5 --attack ifgsm --eps 4/255 --steps 10 --alpha 1/255 --out adv.h5"},
    {"evaluate", "How a classifier takes an adversarial set, or any set of images",
     "\n  sweep_runner evaluate --arch resnet18 --num-classes 4 --weights w.safetensors \\\n"
     "      --set adv.h5"},
    {"weights", "The classifier of a sweep as a file of weights that torchvision loads",
     "\n  sweep_runner weights results/artifacts/model/HASH.h5 --out w.safetensors"},
    {"bench", "How fast this machine trains and attacks, and what Table 1 would take, in a minute",
     "\n  sweep_runner bench"
     "\n  sweep_runner bench --arch vgg16 --image-size 64 --batch 64 --json"},
}};

inline bool is_step(std::string_view name) {
  return std::any_of(kSteps.begin(), kSteps.end(),
                     [&](const StepName& step) { return name == step.name; });
}

}  // namespace sweep::command_line
