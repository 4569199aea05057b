#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/store.hpp"

namespace sweep::plan {

/// Tasks whose times tell something of each other: those of a kind, but for joining shards, which
/// costs kJoiningCost whatever it takes.
struct WorkKind {
  storage::ArtifactKind kind = storage::ArtifactKind::dataset;
  bool joins = false;

  WorkKind(storage::ArtifactKind kind, double cost);
  auto operator<=>(const WorkKind&) const = default;
};

/// What a unit of a task's cost takes in seconds.
class Rates {
 public:
  struct Rate {
    double seconds_per_cost = 0;  ///< the median
    double cost = 0;              ///< of all that was measured
    std::size_t tasks = 0;
  };

  explicit Rates(std::map<WorkKind, Rate> rates) : rates_(std::move(rates)) {}

  /// Of a task: by those of its kind, else by all other work, every kind with the weight of what it
  /// costs. Nothing where nothing has been measured.
  std::optional<double> seconds(storage::ArtifactKind kind, double cost) const;
  /// By those of its kind.
  bool measured(storage::ArtifactKind kind, double cost) const {
    return rates_.contains({kind, cost});
  }
  bool empty() const { return rates_.empty(); }
  /// `newer` replaces what it has measured well, or alone.
  void prefer(const Rates& newer);

 private:
  std::map<WorkKind, Rate> rates_;
};

/// Tasks that have been measured.
class Calibration {
 public:
  /// A task that was done. Values that can't be measured (no cost, no time, too much of either) are
  /// ignored and counted.
  void add(storage::ArtifactKind kind, double cost, double seconds, const std::string& device);
  void ignore(std::size_t entries = 1) { ignored_ += entries; }

  Rates rates() const;

  std::size_t tasks() const { return tasks_; }
  std::size_t ignored() const { return ignored_; }
  /// Fit to be printed; the first ones.
  const std::set<std::string>& devices() const { return devices_; }

 private:
  struct Samples {
    std::vector<double> ratios;  ///< seconds per cost, the last ones
    double cost = 0;
    std::size_t tasks = 0;
  };
  std::map<WorkKind, Samples> samples_;
  std::set<std::string> devices_;
  std::size_t tasks_ = 0, ignored_ = 0;
};

/// From the journals of all runs of the store (docs/run_folder.md). Nothing in them is trusted:
/// lines that are damaged, and journals that can't be read, are ignored and counted.
Calibration measured(const storage::Store& store);

}  // namespace sweep::plan
