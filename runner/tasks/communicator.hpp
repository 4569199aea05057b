#pragma once

#include <memory>

#include "runner/tasks/task.hpp"
#include "trainer/parallel/communicator.hpp"

namespace sweep::tasks {

/// Of the executors that work on `task`: on CPUs through their agents, on GPUs by NCCL.
/// Collective. @throws Error{communication}
std::unique_ptr<trainer::Communicator> make_communicator(const Task& task);

}  // namespace sweep::tasks
