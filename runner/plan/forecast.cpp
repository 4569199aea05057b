#include "runner/plan/forecast.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace sweep::plan {
namespace {

using storage::ArtifactKind;

std::unordered_map<std::string, std::size_t> index_of(const Graph& graph) {
  std::unordered_map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < graph.tasks.size(); ++i) index[graph.tasks[i].output.hash] = i;
  return index;
}

void add_to_stage(const Task& task, const std::optional<double>& seconds, StageForecast& stage) {
  ++stage.to_make;
  stage.cost += task.cost * task.devices;
  if (stage.to_make == 1) stage.device_seconds = 0;
  stage.device_seconds = stage.device_seconds && seconds
                             ? std::optional(*stage.device_seconds + *seconds * task.devices)
                             : std::nullopt;
}

}  // namespace

std::size_t Forecast::to_make() const {
  return static_cast<std::size_t>(std::count(made.begin(), made.end(), false));
}

bool Forecast::has_times() const {
  return std::all_of(stages.begin(), stages.end(), [](const auto& stage) {
    return stage.second.to_make == 0 || stage.second.device_seconds;
  });
}

Forecast forecast(const Graph& graph, std::vector<bool> made, const Calibration& calibration) {
  std::map<ArtifactKind, std::optional<double>> per_cost;
  Forecast forecast{.made = std::move(made)};
  for (std::size_t i = 0; i < graph.tasks.size(); ++i) {
    const Task& task = graph.tasks[i];
    const ArtifactKind kind = task.output.kind;
    if (!per_cost.contains(kind)) per_cost[kind] = calibration.seconds_per_cost(kind);
    std::set<ArtifactKind> from;
    for (const auto& input : task.inputs) from.insert(input.kind);
    for (const auto input : from) ++forecast.edges[{input, kind}];
    auto& seconds = forecast.seconds.emplace_back();
    StageForecast& stage = forecast.stages[kind];
    if (forecast.made[i]) {
      ++stage.there;
      continue;
    }
    if (per_cost[kind]) seconds = *per_cost[kind] * task.cost;
    add_to_stage(task, seconds, stage);
  }
  return forecast;
}

scheduling::Simulated simulate(const Graph& graph, const Forecast& forecast, std::size_t devices) {
  const auto index = index_of(graph);
  const bool times = forecast.has_times();
  std::vector<scheduling::Node> nodes;
  for (std::size_t i = 0; i < graph.tasks.size(); ++i) {
    const Task& task = graph.tasks[i];
    scheduling::Node node{.inputs = {},
                          .cost = times ? forecast.seconds[i].value_or(0) : task.cost,
                          .done = forecast.made[i],
                          .devices = task.devices,
                          .priority = task.priority};
    for (const auto& input : task.inputs) node.inputs.push_back(index.at(input.hash));
    nodes.push_back(std::move(node));
  }
  return scheduling::simulate(nodes, devices);
}

std::vector<TrialForecast> trials(const Graph& graph, const Forecast& forecast) {
  const auto index = index_of(graph);
  std::vector<TrialForecast> all;
  for (const auto& evaluations : graph.evaluations) {
    std::set<std::size_t> own;
    for (const auto& [column, evaluation] : evaluations) {
      const std::size_t task = index.at(evaluation.hash);
      own.insert(task);
      for (const auto& input : graph.tasks[task].inputs)
        if (input.kind == ArtifactKind::model) own.insert(index.at(input.hash));
    }
    TrialForecast& trial = all.emplace_back(TrialForecast{.tasks = own.size()});
    for (const auto task : own) {
      if (forecast.made[task]) continue;
      ++trial.to_make;
      const auto& seconds = forecast.seconds[task];
      trial.seconds =
          trial.seconds && seconds ? std::optional(*trial.seconds + *seconds) : std::nullopt;
    }
  }
  return all;
}

}  // namespace sweep::plan
