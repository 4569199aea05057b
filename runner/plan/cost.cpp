#include "runner/plan/cost.hpp"

namespace sweep::plan {

double training_passes(const Json& defence, const Json& training) {
  // Of one epoch, beside plain training. Noisy images and a decoder: measured, ResNet18.
  // Adversarial training: the attack's gradients, one look at the clean images, the training step
  // itself.
  const double per_epoch = defence.at("name") == "none" ? 1.0
                           : defence.contains("steps")  ? defence.at("steps").get<double>() + 1.3
                                                        : 2.5;
  return per_epoch * training.at("epochs").get<double>();
}

double preprocessor_passes(const Json& preprocessor, std::size_t sets) {
  // A U-net on whole images and the classifier behind it, or a handful of small convolutions.
  const double per_image = sets > 0 ? 10.0 * static_cast<double>(sets) : 0.3;
  return per_image * preprocessor.at("epochs").get<double>();
}

double attack_passes(const Json& attack) {
  // Steps, restarts, search steps: every count among an attack's options multiplies its gradients.
  double passes = 1;
  for (const auto& [key, value] : attack.items())
    if (value.is_number_integer() && value.get<double>() > 0) passes *= value.get<double>();
  return passes;
}

}  // namespace sweep::plan
