#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

#include "attacks/attack_set.hpp"
#include "attacks/goal.hpp"
#include "attacks/gradient.hpp"
#include "core/text.hpp"
#include "runner/tasks/models.hpp"
#include "runner/tasks/task.hpp"
#include "runner/tasks/tensors.hpp"
#include "trainer/inference.hpp"
#include "trainer/models/model.hpp"
#include "trainer/precision.hpp"

namespace sweep::tasks {
namespace {

using storage::Content;

/// Attacks `images` (uint8), of which the first is number `first_image` of the split, in batches of
/// the size that predictions use.
attacks::AttackedSet perturb(const Task& task,
                             const std::shared_ptr<trainer::Classifier>& classifier,
                             const at::Tensor& images, const at::Tensor& labels,
                             std::int64_t first_image) {
  const Json& attack = task.spec.at("attack");
  const Precision precision = trainer::precision_on(task.device, attack.at("precision"));
  const trainer::Tf32 tf32(precision);
  const attacks::ImagesToAttack set{.batch =
                                        [&](std::int64_t first, std::int64_t count) {
                                          return trainer::to_model_input(
                                              images.narrow(0, first, count), task.device);
                                        },
                                    .labels = labels,
                                    .first_image = first_image,
                                    .batch_size = trainer::inference_batch};
  return attacks::attack_set(
      attack.at("method"), attack, trainer::logits_of(classifier, precision), set,
      [&](double fraction) { task.step_done(fraction, concat(images.size(0), " images")); });
}

/// Per image, what the attack did and what the attacker's own model says to it.
Content content_of(const Task& task, trainer::Classifier& classifier, const at::Tensor& images,
                   const at::Tensor& labels, const attacks::AttackedSet& attacked) {
  const at::Tensor clean = images.to(at::kFloat).div(255);
  const at::Tensor difference =
      (attacked.images.to(at::kDouble) - clean.to(at::kDouble)).flatten(1);
  const auto after_batch = [&](double) { task.step_done(1, "judging the images"); };
  const auto predictions = trainer::predict(classifier, attacked.images, task.device, after_batch);
  const attacks::Goal goal(attacked.classes, attacked.targeted, 0);
  Content content;
  content.arrays["images"] = to_array(attacked.images);
  content.arrays["labels"] = to_array(labels);
  content.arrays["clean_predictions"] =
      to_array(trainer::predict(classifier, images, task.device, after_batch).classes);
  content.arrays["predictions"] = to_array(predictions.classes);
  content.arrays["goal_classes"] = to_array(attacked.classes);
  content.arrays["l2"] = to_array(difference.norm(2, 1).to(at::kFloat));
  content.arrays["linf"] = to_array(difference.abs().amax(1).to(at::kFloat));
  content.arrays["success"] = to_array(attacks::is_reached(predictions.logits, goal).to(at::kByte));
  return content;
}

/// Of a shard that reaches beyond the set, only what is there: its images were counted before they
/// were decoded, which can leave bad ones out. Without arrays where nothing is left.
Content attack_range(const Task& task, std::int64_t first, std::int64_t count) {
  const Content dataset = task.store.read(task.input(storage::ArtifactKind::dataset));
  const std::string split = task.spec.at("split");
  const at::Tensor images = images_of(dataset, split), labels = labels_of(dataset, split);
  count = std::min(count, images.size(0) - first);
  if (count <= 0) return {};
  const auto classifier = classifier_of(task);
  const at::Tensor part = images.narrow(0, first, count),
                   part_labels = labels.narrow(0, first, count);
  return content_of(task, *classifier, part, part_labels,
                    perturb(task, classifier, part, part_labels, first));
}

/// The shards stand in order. One without arrays adds nothing.
Content join_shards(const Task& task, const std::vector<storage::ArtifactId>& ids) {
  std::map<std::string, std::vector<at::Tensor>> parts;
  std::vector<Content> shards;
  for (const auto& id : ids) {
    shards.push_back(task.store.read(id));
    for (const auto& [name, array] : shards.back().arrays) parts[name].push_back(to_tensor(array));
  }
  Content content;
  for (const auto& [name, tensors] : parts) content.arrays[name] = to_array(at::cat(tensors));
  return content;
}

}  // namespace

Content make_adversarial_shard(const Task& task) {
  return attack_range(task, task.spec.at("first"), task.spec.at("count"));
}

Content make_adversarial_set(const Task& task) {
  const auto shards = task.inputs_of(storage::ArtifactKind::adversarial_shard);
  return shards.empty() ? attack_range(task, 0, std::numeric_limits<std::int64_t>::max())
                        : join_shards(task, shards);
}

}  // namespace sweep::tasks
