#include <ATen/ATen.h>

#include <algorithm>

#include "attacks/attack.hpp"
#include "core/text.hpp"
#include "runner/tasks/models.hpp"
#include "runner/tasks/task.hpp"
#include "runner/tasks/tensors.hpp"
#include "trainer/inference.hpp"
#include "trainer/models/model.hpp"

namespace sweep::tasks {
namespace {

using storage::Content;

/// Adversarial images of all `images` (uint8), in batches of the size that predictions use.
at::Tensor perturb(const Task& task, std::shared_ptr<trainer::Classifier> classifier,
                   const at::Tensor& images, const at::Tensor& labels) {
  Json options = task.spec.at("attack");
  const std::string method = options.at("method");
  options.erase("method");
  const auto attack = attacks::AttackRegistry::instance().at(method).make(options);
  const auto logits = trainer::logits_of(std::move(classifier));
  const std::int64_t total = images.size(0);
  std::vector<at::Tensor> batches;
  for (std::int64_t first = 0; first < total; first += trainer::inference_batch) {
    const std::int64_t count = std::min(trainer::inference_batch, total - first);
    const auto after_step = [&](double fraction) {
      const double done = static_cast<double>(first) + fraction * static_cast<double>(count);
      task.channel.progress(done / static_cast<double>(total), concat(total, " images"));
      task.check_stop();
    };
    const at::Tensor batch = trainer::to_model_input(images.narrow(0, first, count), task.device);
    batches.push_back(
        attack->perturb(logits, batch, labels.narrow(0, first, count).to(task.device), after_step)
            .cpu());
  }
  return at::cat(batches).contiguous();
}

/// Per image, what the attack did and what the attacker's own model says to it.
Content content_of(const Task& task, trainer::Classifier& classifier, const at::Tensor& images,
                   const at::Tensor& labels, const at::Tensor& adversarial) {
  const at::Tensor clean = images.to(at::kFloat).div(255);
  const at::Tensor difference = (adversarial.to(at::kDouble) - clean.to(at::kDouble)).flatten(1);
  const at::Tensor predictions = trainer::predict(classifier, adversarial, task.device).classes;
  Content content;
  content.arrays["images"] = to_array(adversarial);
  content.arrays["labels"] = to_array(labels);
  content.arrays["clean_predictions"] =
      to_array(trainer::predict(classifier, images, task.device).classes);
  content.arrays["predictions"] = to_array(predictions);
  content.arrays["l2"] = to_array(difference.norm(2, 1).to(at::kFloat));
  content.arrays["linf"] = to_array(difference.abs().amax(1).to(at::kFloat));
  content.arrays["success"] = to_array(predictions.ne(labels).to(at::kByte));
  return content;
}

Content attack_range(const Task& task, std::int64_t first, std::int64_t count) {
  const auto classifier = classifier_of(task, task.inputs.at(0));
  const Content dataset = task.store.read(task.inputs.at(1));
  const std::string split = task.spec.at("split");
  const at::Tensor images = images_of(dataset, split), labels = labels_of(dataset, split);
  if (count < 0) count = images.size(0);
  const at::Tensor part = images.narrow(0, first, count),
                   part_labels = labels.narrow(0, first, count);
  return content_of(task, *classifier, part, part_labels,
                    perturb(task, classifier, part, part_labels));
}

/// Everything behind the model and the dataset is a shard, in order.
Content join_shards(const Task& task) {
  std::map<std::string, std::vector<at::Tensor>> parts;
  std::vector<Content> shards;
  for (std::size_t i = 2; i < task.inputs.size(); ++i) {
    shards.push_back(task.store.read(task.inputs[i]));
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
  return task.inputs.size() > 2 ? join_shards(task) : attack_range(task, 0, -1);
}

}  // namespace sweep::tasks
