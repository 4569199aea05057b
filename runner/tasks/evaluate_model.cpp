#include <ATen/ATen.h>

#include "runner/tasks/models.hpp"
#include "runner/tasks/task.hpp"
#include "runner/tasks/tensors.hpp"
#include "trainer/inference.hpp"
#include "trainer/models/model.hpp"

namespace sweep::tasks {

namespace {

/// Adversarial images [N,3,H,W] as the evaluation asks for them: float32, or rounded to the bytes
/// that an image file would hold.
at::Tensor as_pixels(const at::Tensor& images, const std::string& pixels) {
  return pixels == "uint8" ? images.mul(255).round_().clamp_(0, 255).to(at::kByte) : images;
}

}  // namespace

storage::Content evaluate_model(const Task& task) {
  using storage::ArtifactKind;
  const auto classifier = classifier_of(task);
  const auto set = task.find_input(ArtifactKind::adversarial_set);
  const storage::Content source = task.store.read(set ? *set : task.input(ArtifactKind::dataset));
  const std::string split = task.spec.at("split");
  const at::Tensor images =
      set ? as_pixels(to_tensor(source.array("images")), task.spec.at("pixels"))
          : images_of(source, split);
  const at::Tensor labels = set ? to_tensor(source.array("labels")) : labels_of(source, split);
  const auto result = trainer::predict(*classifier, images, task.device,
                                       [&](double fraction) { task.step_done(fraction); });
  storage::Content content;
  content.attributes["accuracy"] = result.classes.eq(labels).to(at::kDouble).mean().item<double>();
  content.arrays["labels"] = to_array(labels);
  content.arrays["logits"] = to_array(result.logits);
  content.arrays["predictions"] = to_array(result.classes);
  return content;
}

}  // namespace sweep::tasks
