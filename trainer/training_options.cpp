#include "trainer/training_options.hpp"

#include "core/precision.hpp"

namespace sweep::trainer {

OptionTable<TrainingOptions> training_options() {
  using O = TrainingOptions;
  return {
      {"epochs", &O::epochs, {.min = 1, .max = 100000, .doc = "passes over the training set"}},
      {"batch_size",
       &O::batch_size,
       {.min = 2, .max = 65536, .unit = "images", .doc = "clean images per step"}},
      {"optimizer",
       &O::optimizer,
       {.choices = {"sgd", "adam"}, .doc = "SGD with momentum, or Adam"}},
      {"learning_rate", &O::learning_rate, {.min = 0, .doc = "in the first epoch"}},
      {"momentum", &O::momentum, {.min = 0, .max = 1, .doc = "of SGD"}},
      {"weight_decay", &O::weight_decay, {.min = 0, .doc = "L2 penalty on all parameters"}},
      {"milestones",
       &O::milestones,
       {.min = 0, .max = 1, .unit = "fraction of the epochs", .doc = "when the rate falls"}},
      {"gamma", &O::gamma, {.min = 0, .max = 1, .doc = "factor of the rate at a milestone"}},
      {"flip", &O::flip, {.doc = "mirror half of the images left to right, at random"}},
      {"precision",
       &O::precision,
       {.choices = precision_names(),
        .doc =
            "in which convolutions and matrix products compute; parameters and losses are "
            "float32 in any case. tf32 needs CUDA; bf16 is fast on GPUs and on CPUs that have it"}},
      {"seed", &O::seed, {.doc = "of parameters, order of images, flips and noise"}},
  };
}

Schema training_schema() {
  return describe(training_options());
}

double learning_rate_at(const TrainingOptions& options, std::int64_t epoch) {
  double rate = options.learning_rate;
  for (const double milestone : options.milestones) {
    // Fractions such as 0.7 are not exact: 0.7 * 10 epochs must be over after 7.
    const double first = milestone * static_cast<double>(options.epochs) - 1e-9;
    if (static_cast<double>(epoch) >= first) rate *= options.gamma;
  }
  return rate;
}

}  // namespace sweep::trainer
