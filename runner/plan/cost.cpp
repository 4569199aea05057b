#include "runner/plan/cost.hpp"

namespace sweep::plan {

double training_passes(const Json& defence, const Json& training) {
  // A defence that trains on noisy images too, and through a decoder, costs about two and a half
  // times as much as plain training (measured, ResNet18).
  const double per_epoch = defence.at("name") == "none" ? 1.0 : 2.5;
  return per_epoch * training.at("epochs").get<double>();
}

double attack_passes(const Json& attack) {
  // Steps, restarts, search steps: every count among an attack's options multiplies its gradients.
  double passes = 1;
  for (const auto& [key, value] : attack.items())
    if (value.is_number_integer() && value.get<double>() > 0) passes *= value.get<double>();
  return passes;
}

}  // namespace sweep::plan
