#include <ATen/ATen.h>

#include "runner/tasks/communicator.hpp"
#include "runner/tasks/models.hpp"
#include "runner/tasks/task.hpp"
#include "runner/tasks/tensors.hpp"
#include "runner/tasks/training_task.hpp"
#include "trainer/preprocessor_training.hpp"

namespace sweep::tasks {

using storage::ArtifactKind;
using storage::Content;

Content train_preprocessor(const Task& task) {
  const Content dataset = task.store.read(task.input(ArtifactKind::dataset));
  const auto communicator = make_communicator(task);
  const Json& spec = task.spec.at("preprocessor");
  trainer::PreprocessorJob job{.preprocessor = spec.at("name"),
                               .preprocessor_options = options_of(spec),
                               .images = images_of(dataset, "train"),
                               .labels = labels_of(dataset, "train"),
                               .device = task.device,
                               .parallel = parallel_of(task, *communicator)};
  std::vector<Content> sets;  // their arrays are mapped files
  for (const auto& id : task.inputs_of(ArtifactKind::adversarial_set)) {
    sets.push_back(task.store.read(id));
    job.adversarial_sets.push_back(to_tensor(sets.back().array("images")));
  }
  if (task.find_input(ArtifactKind::model)) job.guide = classifier_of(task);
  const MetricNames metrics{"loss", "learning_rate", "seconds", "images_per_second"};
  const auto result = trainer::train(job, read_checkpoint(task), hooks_of(task, metrics));
  if (!result.finished) throw Stopped{};
  return trained_content(result, metrics);
}

}  // namespace sweep::tasks
