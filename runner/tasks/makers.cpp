#include "runner/tasks/task.hpp"

namespace sweep::tasks {

const std::map<storage::ArtifactKind, Maker>& makers() {
  using storage::ArtifactKind;
  static const std::map<ArtifactKind, Maker> makers{
      {ArtifactKind::dataset, prepare_dataset},
      {ArtifactKind::model, train_model},
      {ArtifactKind::adversarial_shard, make_adversarial_shard},
      {ArtifactKind::adversarial_set, make_adversarial_set},
      {ArtifactKind::evaluation, evaluate_model},
  };
  return makers;
}

}  // namespace sweep::tasks
