#include "attacks/attack_set.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <vector>

#include "attacks/goal.hpp"
#include "attacks/goal_options.hpp"

namespace sweep::attacks {

AttackedSet attack_set(const std::string& method, const Json& options, const Logits& logits,
                       const ImagesToAttack& images, const StepCallback& after_step) {
  const auto attack = AttackRegistry::instance().at(method).make(options);
  const auto goal_options = read_options(attacks::goal_options(), options);
  const std::int64_t total = images.labels.size(0);
  std::vector<at::Tensor> adversarial, classes;
  bool targeted = false;
  for (std::int64_t first = 0; first < total; first += images.batch_size) {
    const std::int64_t count = std::min(images.batch_size, total - first);
    const at::Tensor batch = images.batch(first, count);
    const auto clean_logits = [&] {
      const at::NoGradGuard no_gradients;
      return logits(batch);
    };
    const Goal goal =
        make_goal(goal_options, images.labels.narrow(0, first, count).to(batch.device()),
                  clean_logits, images.first_image + first);
    const auto after_batch_step = [&](double fraction) {
      after_step((static_cast<double>(first) + fraction * static_cast<double>(count)) /
                 static_cast<double>(total));
    };
    adversarial.push_back(attack->perturb(logits, batch, goal, after_batch_step).cpu());
    classes.push_back(goal.classes.cpu());
    targeted = goal.targeted;
  }
  return {at::cat(adversarial).contiguous(), at::cat(classes), targeted};
}

}  // namespace sweep::attacks
