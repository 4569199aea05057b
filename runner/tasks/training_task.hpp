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

/// How the ranks of this task train together: the spec says it where the result depends on it.
/// @throws InputError when the spec is for another number of ranks
trainer::Parallel parallel_of(const Task& task, trainer::Communicator& communicator);

/// Names of trainer::EpochMetrics that mean something for what is trained; empty: all.
using MetricNames = std::set<std::string>;

/// Reports to the task's channel, stops on request, writes checkpoints.
/// @param metrics  are told of every epoch
trainer::TrainingHooks hooks_of(const Task& task, const MetricNames& metrics = {});

/// The trained state as "state/NAME" and the history as "history/METRIC".
storage::Content trained_content(const trainer::TrainingResult& result,
                                 const MetricNames& metrics = {});

/// "state/NAME" of a trained artifact.
trainer::NamedTensors state_of(const storage::Content& content);

/// The options of a plugin without its name.
Json options_of(const Json& plugin);

}  // namespace sweep::tasks
