#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/json.hpp"
#include "runner/tasks/channel.hpp"
#include "storage/store.hpp"

namespace c10 {
struct Device;
}

namespace sweep::tasks {

/// The executors that work on one task together.
struct Group {
  int index = 0, size = 1;  ///< of this one (0: the lead) and of all
};

/// Everything that the making of one artifact may use.
struct Task {
  storage::ArtifactId output;
  std::vector<storage::ArtifactId> inputs;  ///< in the order in which the planner lists them
  Json spec;                                ///< see runner/plan/graph.cpp
  Json locations;
  Json run;  ///< the [run] section
  storage::Store store;
  std::int64_t epoch = 0;    ///< number of the run
  std::int64_t attempt = 1;  ///< at this task
  int memory_level = 0;      ///< see trainer/models/recomputation.hpp
  int threads = 1;
  Group group{};
  Channel& channel;
  const c10::Device& device;

  /// The inputs of a kind, in the planner's order; the one of a kind, or nothing.
  std::vector<storage::ArtifactId> inputs_of(storage::ArtifactKind kind) const;
  std::optional<storage::ArtifactId> find_input(storage::ArtifactKind kind) const;
  /// @throws Error{internal} when there is none.
  storage::ArtifactId input(storage::ArtifactKind kind) const;

  /// Between two steps. @throws Stopped when the agent has asked for it.
  void check_stop() const {
    if (const auto reason = channel.stop_requested()) throw Stopped{*reason};
  }

  /// Between two steps: says how far the task is. @throws Stopped when the agent has asked for it.
  void step_done(double fraction, std::string text = {}) const {
    channel.progress({.fraction = fraction, .text = std::move(text)});
    check_stop();
  }
};

/// Makes the artifact's content. @throws Stopped, Error
using Maker = std::function<storage::Content(const Task& task)>;

storage::Content prepare_dataset(const Task& task);
storage::Content train_model(const Task& task);
storage::Content train_preprocessor(const Task& task);
storage::Content make_adversarial_shard(const Task& task);
storage::Content make_adversarial_set(const Task& task);
storage::Content evaluate_model(const Task& task);

/// The maker of every kind of artifact.
const std::map<storage::ArtifactKind, Maker>& makers();

}  // namespace sweep::tasks
