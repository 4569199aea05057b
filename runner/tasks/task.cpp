#include "runner/tasks/task.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::tasks {

using storage::ArtifactId;
using storage::ArtifactKind;

std::vector<ArtifactId> Task::inputs_of(ArtifactKind kind) const {
  std::vector<ArtifactId> found;
  for (const auto& id : inputs)
    if (id.kind == kind) found.push_back(id);
  return found;
}

std::optional<ArtifactId> Task::find_input(ArtifactKind kind) const {
  const auto found = inputs_of(kind);
  return found.empty() ? std::nullopt : std::optional(found.front());
}

ArtifactId Task::input(ArtifactKind kind) const {
  if (const auto found = find_input(kind)) return *found;
  throw Error(FailureType::internal,
              concat("the task has no input of the kind ", storage::to_string(kind),
                     " (its maker reads one); this is a bug of the plan"));
}

const std::map<ArtifactKind, Maker>& makers() {
  static const std::map<ArtifactKind, Maker> makers{
      {ArtifactKind::dataset, prepare_dataset},
      {ArtifactKind::model, train_model},
      {ArtifactKind::preprocessor, train_preprocessor},
      {ArtifactKind::adversarial_shard, make_adversarial_shard},
      {ArtifactKind::adversarial_set, make_adversarial_set},
      {ArtifactKind::evaluation, evaluate_model},
  };
  return makers;
}

}  // namespace sweep::tasks
