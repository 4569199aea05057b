#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runner/engine/run_view.hpp"
#include "runner/plan/calibration.hpp"
#include "runner/plan/graph.hpp"
#include "runner/scheduling/scheduler.hpp"

namespace sweep::engine {

/// When a run will end: by what tasks have taken in this run, by what they took in earlier runs of
/// the store where this one has not measured them yet, and by how far the running ones are.
class Eta {
 public:
  /// @param inputs  of every task, as indices
  /// @param before  what earlier runs have measured
  Eta(const plan::Graph& graph, const std::vector<std::vector<std::size_t>>& inputs,
      plan::Rates before)
      : graph_(graph), inputs_(inputs), before_(std::move(before)) {}

  void add(const plan::Task& task, double seconds, const std::string& device) {
    measured_.add(task.output.kind, task.cost, seconds, device);
  }

  /// Seconds, as the longer of the work spread over the ranks that work and the longest chain;
  /// nothing where nothing has been measured and no task says how far it is. Looks at every task.
  std::optional<double> seconds(const scheduling::Scheduler& scheduler,
                                const std::vector<RankView>& ranks) const;
  /// The best that is known: of this run, of earlier ones, or of what runs.
  plan::Rates rates(const std::vector<RankView>& ranks) const;

 private:
  const plan::Graph& graph_;
  const std::vector<std::vector<std::size_t>>& inputs_;
  plan::Rates before_;
  plan::Calibration measured_;
};

}  // namespace sweep::engine
