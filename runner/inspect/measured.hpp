#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "runner/inspect/plan.hpp"
#include "storage/store.hpp"

namespace sweep::inspect {

/// Percent of right answers of an evaluation; nothing when it is not there. What is damaged stays
/// where it is. @throws Error{bad_data, storage}
std::optional<double> accuracy_of(const storage::Store& store, const storage::ArtifactId& id);

/// The course of a training: metric -> value of each epoch.
struct Training {
  std::map<std::string, std::vector<double>> metrics;
  bool finished = false;  ///< else from a checkpoint
  Json provenance;        ///< attributes of the artifact but its spec; empty from a checkpoint
};

/// Nothing when there is neither the artifact nor a checkpoint. @throws Error{bad_data, storage}
std::optional<Training> training_of(const storage::Store& store, const storage::ArtifactId& id);

}  // namespace sweep::inspect
