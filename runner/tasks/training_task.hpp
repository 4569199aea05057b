#pragma once

#include <optional>
#include <set>
#include <string>

#include "runner/tasks/task.hpp"
#include "trainer/training.hpp"

namespace sweep::tasks {

// What the tasks have in common that train something.

/// The checkpoint of this task, if there is one.
std::optional<trainer::TrainingState> read_checkpoint(const Task& task);

/// Reports to the task's channel, stops on request, writes checkpoints.
trainer::TrainingHooks hooks_of(const Task& task);

/// The trained state as "state/NAME" and the history as "history/METRIC".
/// @param metrics  those that mean something for what was trained; empty: all
storage::Content trained_content(const trainer::TrainingResult& result,
                                 const std::set<std::string>& metrics = {});

/// "state/NAME" of a trained artifact.
trainer::NamedTensors state_of(const storage::Content& content);

/// The options of a plugin without its name.
Json options_of(const Json& plugin);

}  // namespace sweep::tasks
