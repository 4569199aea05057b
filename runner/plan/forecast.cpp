#include "runner/plan/forecast.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_map>

namespace sweep::plan {
namespace {

using storage::ArtifactKind;

void add_to_stage(const Task& task, const std::optional<double>& seconds, const Rates& rates,
                  StageForecast& stage) {
  ++stage.to_make;
  stage.measured = stage.measured && rates.measured(task.output.kind, task.cost);
  stage.cost += task.cost * task.devices;
  if (stage.to_make == 1) stage.device_seconds = 0;
  stage.device_seconds = stage.device_seconds && seconds
                             ? std::optional(*stage.device_seconds + *seconds * task.devices)
                             : std::nullopt;
}

/// What a trial calls its own: its evaluations, and the model that they read.
std::set<std::size_t> own_tasks(const std::vector<std::size_t>& evaluations, const Graph& graph,
                                const std::vector<std::vector<std::size_t>>& inputs) {
  std::set<std::size_t> own;
  for (const auto evaluation : evaluations) {
    own.insert(evaluation);
    for (const auto input : inputs[evaluation])
      if (graph.tasks[input].output.kind == ArtifactKind::model) own.insert(input);
  }
  return own;
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

Forecast forecast(const Graph& graph, std::vector<bool> made, const Rates& rates) {
  Forecast forecast{.made = std::move(made)};
  for (std::size_t i = 0; i < graph.tasks.size(); ++i) {
    const Task& task = graph.tasks[i];
    const ArtifactKind kind = task.output.kind;
    std::set<ArtifactKind> from;
    for (const auto& input : task.inputs) from.insert(input.kind);
    for (const auto input : from) ++forecast.edges[{input, kind}];
    auto& seconds = forecast.seconds.emplace_back();
    StageForecast& stage = forecast.stages[kind];
    if (forecast.made[i]) {
      ++stage.there;
      continue;
    }
    seconds = rates.seconds(kind, task.cost);
    add_to_stage(task, seconds, rates, stage);
  }
  return forecast;
}

std::vector<scheduling::Node> nodes_of(const Graph& graph, const Rates& rates) {
  std::vector<scheduling::Node> nodes;
  nodes.reserve(graph.tasks.size());
  for (auto& inputs : input_indices(graph)) {
    const Task& task = graph.tasks[nodes.size()];
    nodes.push_back({.inputs = std::move(inputs),
                     .cost = rates.seconds(task.output.kind, task.cost).value_or(task.cost),
                     .devices = task.devices,
                     .priority = task.priority});
  }
  return nodes;
}

scheduling::Policy policy_of(const RunOptions& run) {
  return {.attempts = 1 + static_cast<int>(run.retries),
          .max_running = static_cast<std::size_t>(run.max_concurrent)};
}

scheduling::Simulated simulate(std::vector<scheduling::Node> nodes, const std::vector<bool>& made,
                               const RunOptions& run, std::size_t devices) {
  for (std::size_t i = 0; i < nodes.size(); ++i) nodes[i].done = made[i];
  return scheduling::simulate(nodes, devices, policy_of(run));
}

std::vector<TrialForecast> trials(const Graph& graph, const Forecast& forecast) {
  const auto inputs = input_indices(graph);
  std::unordered_map<std::string_view, std::size_t> index;
  for (const auto& task : graph.tasks) index.emplace(task.output.hash, index.size());
  std::vector<bool> counted(graph.tasks.size(), false);
  std::vector<TrialForecast> all;
  for (const auto& evaluations : graph.evaluations) {
    std::vector<std::size_t> pending;
    for (const auto& [column, evaluation] : evaluations)
      pending.push_back(index.at(evaluation.hash));
    const auto own = own_tasks(pending, graph, inputs);
    TrialForecast& trial = all.emplace_back(TrialForecast{.tasks = own.size()});
    for (const auto task : own) trial.to_make += forecast.made[task] ? 0 : 1;
    while (!pending.empty()) {
      const std::size_t task = pending.back();
      pending.pop_back();
      if (counted[task]) continue;
      counted[task] = true;
      pending.insert(pending.end(), inputs[task].begin(), inputs[task].end());
      if (forecast.made[task]) continue;
      const auto& seconds = forecast.seconds[task];
      auto& sum = trial.device_seconds;
      sum = sum && seconds ? std::optional(*sum + *seconds * graph.tasks[task].devices)
                           : std::nullopt;
    }
  }
  return all;
}

}  // namespace sweep::plan
