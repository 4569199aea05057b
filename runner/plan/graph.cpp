#include "runner/plan/graph.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/hash.hpp"
#include "core/options.hpp"
#include "core/text.hpp"
#include "runner/plan/cost.hpp"
#include "runner/plan/weights.hpp"

namespace sweep::plan {
namespace {

using storage::ArtifactId;
using storage::ArtifactKind;

// Raised when the meaning of a spec changes: artifacts of older versions are then made anew.
constexpr int kSpecVersion = 1;

std::string number_text(const Json& value) {
  return value.is_number()   ? concat(value.get<double>())
         : value.is_string() ? value.get<std::string>()
                             : value.dump();
}

class Builder {
 public:
  Builder(const Sweep& sweep, const Catalogue& catalogue, const Inspect& inspect)
      : sweep_(sweep),
        catalogue_(catalogue),
        inspect_(inspect),
        varying_(varying_keys(sweep.trials)) {}

  Graph build() {
    for (const auto& trial : sweep_.trials) {
      auto& evaluations = graph_.evaluations.emplace_back();
      auto& sets = graph_.adversarial_sets.emplace_back();
      const Source source = dataset(trial.dataset);
      const ArtifactId target = model(source, trial);
      for (const auto& column : sweep_.table.columns) {
        if (!column.attack.empty())
          sets[column.label] =
              adversarial_set(source, model(source, sweep_.attacker), column.attack);
        evaluations[column.label] = evaluation(source, target, trial, column, sets);
      }
    }
    return std::move(graph_);
  }

 private:
  struct Source {
    ArtifactId id;
    trainer::DatasetSummary summary;
  };

  /// What tells the trial from others: "denoising lambda_n=0.1 lambda_a=0 seed=0".
  std::string trial_text(const Trial& trial) const {
    std::string text = trial.defence.at("name").get<std::string>();
    for (const auto& [key, value] : flatten(trial.to_json()))
      if (varying_.contains(key) && key != "defence.name")
        text += concat(" ", split(key, '.').back(), "=", number_text(value));
    return text;
  }

  /// Adds the task unless its artifact is planned already.
  ArtifactId add(ArtifactKind kind, Json spec, Task task) {
    spec["kind"] = storage::to_string(kind);
    spec["version"] = kSpecVersion;
    task.output = {kind, sha256(spec.dump())};
    task.spec = std::move(spec);
    const ArtifactId id = task.output;
    if (planned_.insert(id).second) graph_.tasks.push_back(std::move(task));
    return id;
  }

  const Source& dataset(const Json& options) {
    if (const auto known = sources_.find(options); known != sources_.end()) return known->second;
    Source source{{}, inspect_(options)};
    const std::string name = options.at("name").get<std::string>();
    const Json spec = without_locations(catalogue_.datasets.at(name).schema, options);
    Json locations = Json::object();
    for (const auto& [key, value] : options.items())
      if (!spec.contains(key)) locations[key] = value;
    // Decoding an image costs far less than a training pass.
    const double images =
        static_cast<double>(source.summary.train_total() + source.summary.test_total());
    source.id = add(
        ArtifactKind::dataset, {{"dataset", spec}, {"source", source.summary.source_fingerprint}},
        {.locations = locations, .label = concat("prepare ", name), .cost = 0.1 * images});
    return sources_.emplace(options, source).first->second;
  }

  ArtifactId model(const Source& source, const Trial& trial) {
    return add(ArtifactKind::model,
               {{"dataset", source.id.hash},
                {"model", weights_.spec(trial.model)},
                {"defence", trial.defence},
                {"training", trial.training}},
               {.inputs = {source.id},
                .locations = WeightFiles::locations(trial.model),
                .label = concat("train ", trial_text(trial)),
                .cost = training_passes(trial.defence, trial.training) *
                        static_cast<double>(source.summary.train_total())});
  }

  ArtifactId adversarial_set(const Source& source, const ArtifactId& attacker,
                             const std::string& key) {
    const Json& attack = sweep_.attacks.at(key);
    const Json spec{{"model", attacker.hash},
                    {"dataset", source.id.hash},
                    {"attack", attack},
                    {"split", "test"}};
    const auto count = source.summary.test_total();
    const auto shards = (count + sweep_.run.shard_size - 1) / sweep_.run.shard_size;
    const std::string label = concat("attack ", key);
    Task whole{.inputs = {attacker, source.id}, .label = label};
    if (shards > 1) {
      whole.label = concat("join ", label);
      whole.cost = 1;
      for (std::int64_t i = 0; i < shards; ++i)
        whole.inputs.push_back(shard(spec, whole.inputs[0], whole.inputs[1], i, count,
                                     concat(label, " part ", i + 1, "/", shards)));
    } else {
      whole.cost = attack_passes(attack) * static_cast<double>(count);
    }
    return add(ArtifactKind::adversarial_set, spec, std::move(whole));
  }

  ArtifactId shard(Json spec, const ArtifactId& attacker, const ArtifactId& dataset_id,
                   std::int64_t index, std::int64_t total, const std::string& label) {
    const std::int64_t first = index * sweep_.run.shard_size;
    const std::int64_t count = std::min(sweep_.run.shard_size, total - first);
    const double cost = attack_passes(spec.at("attack")) * static_cast<double>(count);
    spec["first"] = first;
    spec["count"] = count;
    return add(ArtifactKind::adversarial_shard, std::move(spec),
               {.inputs = {attacker, dataset_id}, .label = label, .cost = cost, .temporary = true});
  }

  ArtifactId evaluation(const Source& source, const ArtifactId& target, const Trial& trial,
                        const Column& column, const std::map<std::string, ArtifactId>& sets) {
    const bool clean = column.attack.empty();
    Json spec{{"model", target.hash}, {"dataset", source.id.hash}, {"split", "test"}};
    spec["adversarial_set"] = clean ? Json() : Json(sets.at(column.label).hash);
    Task task{
        .inputs = {target, source.id},
        .label = concat("evaluate ", trial_text(trial), " on ", clean ? "clean" : column.attack),
        .cost = 0.3 * static_cast<double>(source.summary.test_total())};
    if (!clean) task.inputs.push_back(sets.at(column.label));
    return add(ArtifactKind::evaluation, std::move(spec), std::move(task));
  }

  const Sweep& sweep_;
  const Catalogue& catalogue_;
  const Inspect& inspect_;
  std::set<std::string> varying_;
  WeightFiles weights_;
  Graph graph_;
  std::set<ArtifactId> planned_;
  std::map<Json, Source> sources_;
};

}  // namespace

Graph build_graph(const Sweep& sweep, const Catalogue& catalogue, const Inspect& inspect) {
  return Builder(sweep, catalogue, inspect).build();
}

trainer::DatasetSummary inspect_registered(const Json& dataset) {
  Json options = dataset;
  options.erase("name");
  return trainer::DatasetRegistry::instance()
      .at(dataset.at("name").get<std::string>())
      .make(options)
      ->inspect();
}

}  // namespace sweep::plan
