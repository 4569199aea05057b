#include <ATen/ATen.h>

#include "runner/tasks/models.hpp"
#include "runner/tasks/task.hpp"
#include "runner/tasks/tensors.hpp"
#include "runner/tasks/training_task.hpp"
#include "trainer/training.hpp"

namespace sweep::tasks {
namespace {

using storage::ArtifactKind;
using storage::Content;

trainer::TrainingJob job_of(const Task& task, const Content& dataset) {
  const Json& spec = task.spec;
  trainer::TrainingJob job;
  job.model = spec.at("model").at("name");
  job.model_options = options_of(spec.at("model"));
  job.defence = spec.at("defence").at("name");
  job.defence_options = options_of(spec.at("defence"));
  job.options = read_options(trainer::training_options(), spec.at("training"));
  job.num_classes = static_cast<std::int64_t>(
      Json::parse(dataset.attributes.at("class_names").get<std::string>()).size());
  job.images = images_of(dataset, "train");
  job.labels = labels_of(dataset, "train");
  job.device = task.device;
  if (task.find_input(ArtifactKind::model)) job.teacher = classifier_of(task);
  return job;
}

}  // namespace

Content train_model(const Task& task) {
  const Content dataset = task.store.read(task.input(ArtifactKind::dataset));
  const auto result = trainer::train(job_of(task, dataset), read_checkpoint(task), hooks_of(task));
  if (!result.finished) throw Stopped{};
  Content content = trained_content(result);
  content.attributes["class_names"] = dataset.attributes.at("class_names");
  return content;
}

}  // namespace sweep::tasks
