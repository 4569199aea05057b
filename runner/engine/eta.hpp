#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runner/plan/calibration.hpp"
#include "runner/plan/graph.hpp"
#include "runner/scheduling/scheduler.hpp"

namespace sweep::engine {

/// When a run will end, by what tasks have taken so far: in earlier runs of the store, and in this
/// one.
class Eta {
 public:
  /// @param inputs  of every task, as indices
  Eta(const plan::Graph& graph, const std::vector<std::vector<std::size_t>>& inputs,
      plan::Calibration calibration)
      : graph_(graph), inputs_(inputs), calibration_(std::move(calibration)) {}

  void add(const plan::Task& task, double seconds, const std::string& device) {
    calibration_.add(task.output.kind, task.cost, seconds, device);
  }

  /// Seconds, as the longer of the work spread over `ranks` and the longest chain; nothing where
  /// nothing has been measured. Looks at every task.
  std::optional<double> seconds(const scheduling::Scheduler& scheduler, std::size_t ranks) const;

 private:
  const plan::Graph& graph_;
  const std::vector<std::vector<std::size_t>>& inputs_;
  plan::Calibration calibration_;
};

}  // namespace sweep::engine
