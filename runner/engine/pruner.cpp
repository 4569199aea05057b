#include "runner/engine/pruner.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include "storage/journal.hpp"

namespace sweep::engine {
namespace {

using storage::ArtifactId;
using storage::ArtifactKind;

/// Models that nothing but evaluations of themselves needs, white-box ones among them.
std::set<std::size_t> models_of_one_trial(const plan::Graph& graph) {
  std::map<ArtifactId, std::size_t> index;
  std::set<std::size_t> found;
  // For every task, the models that it is made from in any way.
  std::vector<std::set<std::size_t>> models(graph.tasks.size());
  for (std::size_t i = 0; i < graph.tasks.size(); ++i) {
    const plan::Task& task = graph.tasks[i];
    index[task.output] = i;
    for (const auto& input : task.inputs) {
      const std::size_t from = index.at(input);
      models[i].insert(models[from].begin(), models[from].end());
    }
    if (task.output.kind == ArtifactKind::evaluation)
      for (const std::size_t model : models[i])
        if (std::find(task.inputs.begin(), task.inputs.end(), graph.tasks[model].output) ==
            task.inputs.end())
          found.erase(model);
    if (task.output.kind == ArtifactKind::model) {
      for (const std::size_t teacher : models[i]) found.erase(teacher);
      models[i].insert(i);
      found.insert(i);
    }
  }
  return found;
}

double value_of(const Json& value) {
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

Pruner::Pruner(const scheduling::EarlyStoppingOptions& options, const plan::Graph& graph,
               const std::filesystem::path& journal)
    : graph_(graph), metric_(options.metric) {
  if (options.rule == "none") return;
  rule_.emplace(options);
  prunable_ = models_of_one_trial(graph);
  replay(journal);
}

void Pruner::replay(const std::filesystem::path& journal) {
  std::map<std::string, std::size_t> index;
  for (const auto task : prunable_) index[graph_.tasks[task].output.hash] = task;
  storage::for_each_event(journal, [&](const Json& event) {
    const Json what = event.value("event", Json()), artifact = event.value("artifact", Json()),
               epoch = event.value("epoch", Json());
    const auto task = index.find(artifact.is_string() ? artifact.get<std::string>() : "");
    if (task == index.end()) return;
    if (what == "epoch" && epoch.is_number_integer())
      rule_->keep_going(task->second, epoch, value_of(event.value("value", Json())));
    if (what == "done") rule_->complete(task->second);
  });
}

bool Pruner::ends(std::size_t task, std::int64_t epoch, const Json& metrics, RunLog& log) {
  if (!prunable_.contains(task)) return false;
  const Json value = metrics.value(metric_, Json());
  log.append("epoch", graph_.tasks[task],
             {{"epoch", epoch}, {"metric", metric_}, {"value", value}});
  return !rule_->keep_going(task, epoch, value_of(value));
}

void Pruner::done(std::size_t task) {
  if (prunable_.contains(task)) rule_->complete(task);
}

}  // namespace sweep::engine
