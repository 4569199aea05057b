#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runner/plan/calibration.hpp"
#include "runner/plan/graph.hpp"
#include "runner/plan/run_options.hpp"
#include "runner/scheduling/simulation.hpp"

namespace sweep::plan {

/// All tasks that make one kind of artifact.
struct StageForecast {
  std::size_t to_make = 0, there = 0;
  double cost = 0;                       ///< of what is to be made, times its devices
  std::optional<double> device_seconds;  ///< the same, where it can be told
  bool measured = true;                  ///< not by the speed of other kinds
};

/// What a sweep would do now.
struct Forecast {
  std::vector<bool> made;                      ///< per task
  std::vector<std::optional<double>> seconds;  ///< per task, of those to be made
  std::map<storage::ArtifactKind, StageForecast> stages;
  /// How many tasks of the second kind read one of the first.
  std::map<std::pair<storage::ArtifactKind, storage::ArtifactKind>, std::size_t> edges;

  std::size_t to_make() const;
  bool has_times() const;  ///< of everything
};

/// @param made  per task: nothing is to be done
Forecast forecast(const Graph& graph, std::vector<bool> made, const Rates& rates);

/// The tasks as the scheduler gets them in a run and in its simulation, none of them done: by
/// seconds, or by their cost where nothing has been measured.
std::vector<scheduling::Node> nodes_of(const Graph& graph, const Rates& rates);

scheduling::Policy policy_of(const RunOptions& run);

/// The run on so many devices, in the unit of the nodes. @param made  per task: nothing is to be
/// done
scheduling::Simulated simulate(std::vector<scheduling::Node> nodes, const std::vector<bool>& made,
                               const RunOptions& run, std::size_t devices);

struct TrialForecast {
  std::size_t tasks = 0, to_make = 0;  ///< its model and evaluations
  /// What is to be made for it and is not made for a trial before it, so that trials add up; where
  /// it can be told.
  std::optional<double> device_seconds = 0;
};

std::vector<TrialForecast> trials(const Graph& graph, const Forecast& forecast);

}  // namespace sweep::plan
