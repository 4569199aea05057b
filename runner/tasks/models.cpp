#include "runner/tasks/models.hpp"

#include <ATen/ATen.h>

#include "runner/tasks/tensors.hpp"
#include "runner/tasks/training_task.hpp"
#include "trainer/inference.hpp"
#include "trainer/models/folding.hpp"
#include "trainer/models/model.hpp"
#include "trainer/preprocessor_training.hpp"
#include "trainer/preprocessors/preprocessed_classifier.hpp"

namespace sweep::tasks {
namespace {

using storage::ArtifactId;
using storage::ArtifactKind;
using storage::Content;

Json attribute(const Content& content, const char* name) {
  return Json::parse(content.attributes.at(name).get<std::string>());
}

std::shared_ptr<trainer::Classifier> load_model(const Task& task, const ArtifactId& id) {
  const Content content = task.store.read(id);
  const Json model = attribute(content, "spec").at("model");
  const auto classes = static_cast<std::int64_t>(attribute(content, "class_names").size());
  auto classifier = trainer::load_classifier(model.at("name"), options_of(model), classes,
                                             state_of(content), task.device);
  trainer::fold_batch_norm(classifier->module());
  return classifier;
}

std::shared_ptr<trainer::Preprocessor> load_preprocessor(const Task& task, const ArtifactId& id) {
  const Content content = task.store.read(id);
  const Json preprocessor = attribute(content, "spec").at("preprocessor");
  auto loaded = trainer::load_preprocessor(preprocessor.at("name"), options_of(preprocessor),
                                           state_of(content), task.device);
  trainer::fold_batch_norm(loaded->module());
  return loaded;
}

}  // namespace

std::shared_ptr<trainer::Classifier> classifier_of(const Task& task) {
  using Names = std::pair<ArtifactId, std::optional<ArtifactId>>;
  static Names kept_names;
  static std::shared_ptr<trainer::Classifier> kept;
  const Names names{task.input(ArtifactKind::model), task.find_input(ArtifactKind::preprocessor)};
  if (kept && kept_names == names) return kept;
  kept = load_model(task, names.first);
  if (names.second)
    kept = std::make_shared<trainer::PreprocessedClassifier>(load_preprocessor(task, *names.second),
                                                             std::move(kept));
  kept_names = names;
  return kept;
}

}  // namespace sweep::tasks
