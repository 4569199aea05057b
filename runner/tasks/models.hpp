#pragma once

#include <memory>

#include "runner/tasks/task.hpp"

namespace sweep::trainer {
class Classifier;
}

namespace sweep::tasks {

/// The trained classifier among the task's inputs, behind its preprocessor where there is one, on
/// the task's device and ready for inference. The last one is kept: tasks that follow each other
/// often share it.
std::shared_ptr<trainer::Classifier> classifier_of(const Task& task);

}  // namespace sweep::tasks
