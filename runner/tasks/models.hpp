#pragma once

#include <memory>

#include "runner/tasks/task.hpp"

namespace sweep::trainer {
class Classifier;
}

namespace sweep::tasks {

/// The trained classifier of a model artifact, on the task's device and ready for inference. The
/// last one is kept: tasks that follow each other often share it.
std::shared_ptr<trainer::Classifier> classifier_of(const Task& task,
                                                   const storage::ArtifactId& model);

}  // namespace sweep::tasks
