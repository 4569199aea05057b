#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runner/plan/calibration.hpp"
#include "runner/plan/graph.hpp"
#include "runner/scheduling/simulation.hpp"

namespace sweep::plan {

/// All tasks that make one kind of artifact.
struct StageForecast {
  std::size_t to_make = 0, there = 0;
  double cost = 0;                       ///< of what is to be made, times its devices
  std::optional<double> device_seconds;  ///< the same, where it can be told
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
Forecast forecast(const Graph& graph, std::vector<bool> made, const Calibration& calibration);

/// The run on so many devices, in seconds, or in units of cost where there are no times.
scheduling::Simulated simulate(const Graph& graph, const Forecast& forecast, std::size_t devices);

/// A trial's own training and evaluations.
struct TrialForecast {
  std::size_t tasks = 0, to_make = 0;
  std::optional<double> seconds = 0;  ///< of what is to be made, where it can be told
};

std::vector<TrialForecast> trials(const Graph& graph, const Forecast& forecast);

}  // namespace sweep::plan
