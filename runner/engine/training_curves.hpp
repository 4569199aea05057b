#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/json.hpp"
#include "runner/plan/graph.hpp"
#include "runner/tensorboard/event_file.hpp"

namespace sweep::engine {

/// The courses of all trainings of a run, as TensorBoard reads them: a folder for each,
/// LABEL.HASH with the first eight digits of its artifact's name.
class TrainingCurves {
 public:
  explicit TrainingCurves(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// An epoch is complete. @param message  "step" and "metrics" (messages.hpp)
  void add(const plan::Task& task, const Json& message);
  /// The training has ended, or stopped.
  void close(const plan::Task& task) { open_.erase(task.output.hash); }

 private:
  std::filesystem::path folder_;
  std::map<std::string, tensorboard::EventFile> open_;  ///< by artifact
  bool failed_ = false;  ///< nothing more is written; a run does not end for want of its curves
};

}  // namespace sweep::engine
