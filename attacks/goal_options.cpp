#include "attacks/goal_options.hpp"

#include <ATen/ATen.h>

#include "attacks/goal.hpp"
#include "core/precision.hpp"

namespace sweep::attacks {

const OptionTable<GoalOptions>& goal_options() {
  static const OptionTable<GoalOptions> table{
      {"label_source",
       &GoalOptions::label_source,
       {.choices = {"true", "predicted"},
        .doc = "labels to be left: the true ones, or what the attacked model says to the clean "
               "image"}},
      {"target",
       &GoalOptions::target,
       {.choices = {"none", "next", "least_likely"},
        .doc = "class to be reached: none (untargeted), the one behind the label (the first behind "
               "the last), or the one that the attacked model finds least likely"}},
      {"precision",
       &GoalOptions::precision,
       {.choices = precision_names(),
        .doc =
            "in which the attacked model computes while it is attacked; what the attack has made "
            "of it is judged in float32. tf32 needs CUDA"}},
  };
  return table;
}

Goal make_goal(const GoalOptions& options, const at::Tensor& labels,
               const std::function<at::Tensor()>& clean_logits, std::int64_t first_image) {
  const bool targeted = options.target != "none";
  if (options.target == "least_likely") return {clean_logits().argmin(1), true, first_image};
  at::Tensor classes = labels;
  std::int64_t count = 0;
  if (options.label_source == "predicted" || targeted) {
    const at::Tensor logits = clean_logits();
    count = logits.size(1);
    if (options.label_source == "predicted") classes = logits.argmax(1);
  }
  return targeted ? Goal((classes + 1).remainder(count), true, first_image)
                  : Goal(classes, false, first_image);
}

}  // namespace sweep::attacks
