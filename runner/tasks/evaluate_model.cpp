#include <ATen/ATen.h>

#include "runner/tasks/models.hpp"
#include "runner/tasks/task.hpp"
#include "runner/tasks/tensors.hpp"
#include "trainer/inference.hpp"
#include "trainer/models/model.hpp"

namespace sweep::tasks {

storage::Content evaluate_model(const Task& task) {
  const auto classifier = classifier_of(task, task.inputs.at(0));
  const bool clean = task.spec.at("adversarial_set").is_null();
  const storage::Content source = task.store.read(task.inputs.at(clean ? 1 : 2));
  const std::string split = task.spec.at("split");
  const at::Tensor images = clean ? images_of(source, split) : to_tensor(source.array("images"));
  const at::Tensor labels = clean ? labels_of(source, split) : to_tensor(source.array("labels"));
  const auto result = trainer::predict(*classifier, images, task.device, [&](double fraction) {
    task.channel.progress(fraction, "");
    task.check_stop();
  });
  storage::Content content;
  content.attributes["accuracy"] = result.classes.eq(labels).to(at::kDouble).mean().item<double>();
  content.arrays["labels"] = to_array(labels);
  content.arrays["logits"] = to_array(result.logits);
  content.arrays["predictions"] = to_array(result.classes);
  return content;
}

}  // namespace sweep::tasks
