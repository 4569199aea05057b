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
  AttackedSet attacked;
  std::vector<at::Tensor> classes;
  std::int64_t taken = 0;
  const auto take = [&](std::int64_t most) {
    const std::int64_t first = taken, count = std::min(most, images.labels.size(0) - first);
    taken += count;
    const at::Tensor batch = images.batch(first, count);
    const auto clean_logits = [&] {
      const at::NoGradGuard no_gradients;
      return logits(batch);
    };
    const Goal goal =
        make_goal(goal_options, images.labels.narrow(0, first, count).to(batch.device()),
                  clean_logits, images.first_image + first);
    classes.push_back(goal.classes.cpu());
    attacked.targeted = goal.targeted;
    return std::pair(batch, goal);
  };
  const auto put = [&](const at::Tensor& places, const at::Tensor& adversarial) {
    if (!attacked.images.defined()) {
      const auto size = adversarial.sizes().slice(1);
      std::vector<std::int64_t> shape{images.labels.size(0)};
      shape.insert(shape.end(), size.begin(), size.end());
      attacked.images = at::empty(shape, adversarial.options().device(at::kCPU));
    }
    attacked.images.index_copy_(0, places, adversarial.cpu());
  };
  attack->perturb_stream(
      logits,
      {.count = images.labels.size(0), .batch_size = images.batch_size, .take = take, .put = put},
      after_step);
  attacked.classes = at::cat(classes);
  return attacked;
}

}  // namespace sweep::attacks
