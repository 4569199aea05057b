#include <ATen/ATen.h>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "runner/tasks/communicator.hpp"
#include "runner/tasks/models.hpp"
#include "runner/tasks/task.hpp"
#include "runner/tasks/tensors.hpp"
#include "runner/tasks/training_task.hpp"
#include "trainer/training.hpp"

namespace sweep::tasks {
namespace {

using storage::ArtifactKind;
using storage::Content;

/// The file that training starts from, which must be the one that was planned with; or nothing.
std::filesystem::path weights_of(const Task& task) {
  const std::string planned = task.spec.at("model").value("weights_sha256", "");
  if (planned.empty()) return {};
  const std::filesystem::path path = task.locations.at("weights").get<std::string>();
  if (sha256_of_file(path) != planned)
    throw InputError(concat("the weights '", path.string(),
                            "' are not those that the run was planned with (the name of what is "
                            "trained holds their checksum); start the run again"));
  return path;
}

trainer::TrainingJob job_of(const Task& task, const Content& dataset) {
  const Json& spec = task.spec;
  trainer::TrainingJob job;
  job.model = spec.at("model").at("name");
  job.model_options = options_of(spec.at("model"));
  job.weights = weights_of(task);
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
  const auto communicator = make_communicator(task);
  trainer::TrainingJob job = job_of(task, dataset);
  job.parallel = parallel_of(task, *communicator);
  const auto result = trainer::train(job, read_checkpoint(task), hooks_of(task));
  if (!result.finished) throw Stopped{};
  Content content = trained_content(result);
  content.attributes["class_names"] = dataset.attributes.at("class_names");
  return content;
}

}  // namespace sweep::tasks
