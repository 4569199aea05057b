#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/store.hpp"

namespace sweep::plan {

/// What a unit of a task's cost takes in seconds, from tasks that have been done.
class Calibration {
 public:
  /// A task that was done. Values that can't be measured (no cost, no time, too much of either) are
  /// ignored and counted.
  void add(storage::ArtifactKind kind, double cost, double seconds, const std::string& device);
  void ignore() { ++ignored_; }

  /// Per unit of cost: the median of the tasks of that kind, else of all; nothing without any.
  std::optional<double> seconds_per_cost(storage::ArtifactKind kind) const;

  std::size_t tasks() const { return tasks_; }
  std::size_t ignored() const { return ignored_; }
  const std::set<std::string>& devices() const { return devices_; }

 private:
  std::map<storage::ArtifactKind, std::vector<double>> ratios_;  ///< the last ones
  std::map<storage::ArtifactKind, std::size_t> added_;
  std::set<std::string> devices_;
  std::size_t tasks_ = 0, ignored_ = 0;
};

/// From the journals of all runs of the store (docs/run_folder.md).
Calibration measured(const storage::Store& store);

}  // namespace sweep::plan
