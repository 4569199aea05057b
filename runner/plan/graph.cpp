#include "runner/plan/graph.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

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
constexpr int kSpecVersion = 2;

std::string number_text(const Json& value) {
  return value.is_number()   ? concat(value.get<double>())
         : value.is_string() ? value.get<std::string>()
                             : value.dump();
}

class Builder {
 public:
  Builder(const Sweep& sweep, const Catalogue& catalogue, const Inspect& inspect)
      : sweep_(sweep), catalogue_(catalogue), inspect_(inspect) {
    for (const auto& key : varying_keys(sweep.trials))
      if (key != "defence.name" && !key.starts_with("preprocessor."))
        varying_.emplace_back(key, varying_name(key));
  }

  Graph build() {
    for (const auto& trial : sweep_.trials) {
      const std::string& text = graph_.trial_labels.emplace_back(trial_text(trial));
      auto& evaluations = graph_.evaluations.emplace_back();
      auto& sets = graph_.adversarial_sets.emplace_back();
      const Source source = dataset(trial.dataset);
      const Target target = target_of(source, trial);
      for (const auto& column : sweep_.table.columns) {
        if (!column.is_clean()) sets[column.label] = set_of(source, target, text, column);
        evaluations[column.label] = evaluation(source, target, text, column, sets);
      }
    }
    set_priorities();
    return std::move(graph_);
  }

 private:
  struct Source {
    ArtifactId id;
    trainer::DatasetSummary summary;
  };

  /// A classifier, and what stands before it.
  struct Target {
    ArtifactId model;
    std::optional<ArtifactId> preprocessor;

    void add_to(Json& spec, std::vector<ArtifactId>& inputs) const {
      spec["model"] = model.hash;
      inputs.push_back(model);
      if (!preprocessor) return;
      spec["preprocessor"] = preprocessor->hash;
      inputs.push_back(*preprocessor);
    }
  };

  /// From the evaluations of the trials back to what they read.
  void set_priorities() {
    constexpr int kUnset = std::numeric_limits<int>::min();
    std::unordered_map<std::string, int> needed;  // hash -> highest priority
    const auto need = [&](const ArtifactId& id, int priority) {
      int& highest = needed.emplace(id.hash, kUnset).first->second;
      highest = std::max(highest, priority);
    };
    const auto priorities = trial_priorities(sweep_);
    for (std::size_t i = 0; i < priorities.size(); ++i)
      for (const auto& [label, id] : graph_.evaluations[i]) need(id, priorities[i]);
    for (auto task = graph_.tasks.rbegin(); task != graph_.tasks.rend(); ++task) {
      task->priority = needed.at(task->output.hash);
      for (const auto& input : task->inputs) need(input, task->priority);
    }
  }

  /// What tells the trial's classifier from others: "denoising lambda_n=0.1 lambda_a=0 seed=0".
  std::string classifier_text(const Trial& trial) const {
    std::string text = trial.defence.at("name").get<std::string>();
    for (const auto& [key, name] : varying_)
      if (const Json* value = trial.find(key)) text += concat(" ", name, "=", number_text(*value));
    return text;
  }

  /// "lambda_n" of "defence.lambda_n", "model" of "model.name".
  static std::string varying_name(const std::string& key) {
    const auto parts = split(key, '.');
    return parts.back() == "name" ? parts.front() : parts.back();
  }

  std::string trial_text(const Trial& trial) const {
    const std::string before = trial.preprocessor.at("name").get<std::string>();
    return concat(before == kNoPreprocessor ? "" : before + " + ", classifier_text(trial));
  }

  /// Adds the task unless its artifact is planned already.
  ArtifactId add(ArtifactKind kind, Json spec, Task task) {
    spec["kind"] = storage::to_string(kind);
    spec["version"] = kSpecVersion;
    task.spec_text = spec.dump();
    task.output = {kind, sha256(task.spec_text)};
    const ArtifactId id = task.output;
    if (planned_.insert(id.hash).second) graph_.tasks.push_back(std::move(task));
    return id;
  }

  const Source& dataset(const Json& options) {
    if (const auto known = sources_.find(options); known != sources_.end()) return known->second;
    Source source{{}, inspect_(options)};
    const std::string name = options.at("name").get<std::string>();
    const Schema& schema = catalogue_.datasets.at(name).schema;
    const Json spec = without_locations(schema, options);
    // Decoding an image costs far less than a training pass.
    const double images =
        static_cast<double>(source.summary.train_total() + source.summary.test_total());
    source.id = add(ArtifactKind::dataset,
                    {{"dataset", spec}, {"source", source.summary.source_fingerprint}},
                    {.locations = locations_of(schema, options),
                     .label = concat("prepare ", name),
                     .cost = 0.1 * images});
    graph_.datasets.push_back(source.id);
    return sources_.emplace(options, source).first->second;
  }

  ArtifactId model(const Source& source, const Trial& trial) {
    Json spec{{"dataset", source.id.hash},
              {"model", weights_.spec(trial.model)},
              {"defence", trial.defence},
              {"training", trial.training}};
    Task task{.inputs = {source.id},
              .locations = WeightFiles::locations(trial.model),
              .label = concat("train ", classifier_text(trial)),
              .cost = training_passes(trial.defence, trial.training) *
                      static_cast<double>(source.summary.train_total()),
              .devices = static_cast<int>(sweep_.run.devices_per_trial)};
    add_parallel(spec, "training.batch_size", trial.training, source.summary.train_total());
    if (const auto teacher = teacher_of(trial)) {
      task.inputs.push_back(model(source, *teacher));
      spec["teacher"] = task.inputs.back().hash;
    }
    return add(ArtifactKind::model, std::move(spec), std::move(task));
  }

  /// How many ranks train a network is no part of its name, unless the result depends on it.
  /// @param training  options with the batch size, which the user knows by `key`
  /// @param images  of an epoch
  void add_parallel(Json& spec, const char* key, const Json& training, std::int64_t images) const {
    const RunOptions& run = sweep_.run;
    const bool local = run.batch_norm == "local";
    if (run.devices_per_trial == 1 || (!local && run.gradient_compression == "none")) return;
    const auto batch = training.at("batch_size").get<std::int64_t>();
    const std::int64_t rest = images % batch;
    const std::int64_t smallest = rest > 1 ? rest : std::min(batch, images);
    if (local && smallest < 2 * run.devices_per_trial)
      throw InputError(concat(
          "run.batch_norm = \"local\" with run.devices_per_trial = ", run.devices_per_trial,
          " and ", key, " = ", batch, " (the smallest batch has ", smallest,
          smallest == 1 ? " image" : " images",
          ", and batch normalisation needs two for every rank); take another batch size, fewer "
          "devices, or batch_norm = \"synchronised\""));
    spec["parallel"] = {{"devices", run.devices_per_trial},
                        {"batch_norm", run.batch_norm},
                        {"gradient_compression", run.gradient_compression}};
  }

  /// A defence with the option "teacher" learns from a model like itself that was trained with the
  /// defence that the option names. Options that both have are the same.
  std::optional<Trial> teacher_of(const Trial& trial) const {
    const Json& defence = trial.defence;
    if (!defence.contains("teacher")) return std::nullopt;
    const std::string name = defence.at("teacher").get<std::string>();
    Trial teacher = trial;
    teacher.defence = {{"name", name}};
    for (const auto& option : catalogue_.defences.at(name).schema)
      teacher.defence[option.key] = defence.value(option.key, option.default_value);
    teacher.training["seed"] = defence.at("teacher_seed");
    return teacher;
  }

  Target target_of(const Source& source, const Trial& trial) {
    return {model(source, trial), preprocessor(source, trial)};
  }

  /// Nothing where the classifier sees the images as they are.
  std::optional<ArtifactId> preprocessor(const Source& source, const Trial& trial) {
    const std::string name = trial.preprocessor.at("name").get<std::string>();
    if (name == kNoPreprocessor) return std::nullopt;
    const std::pair key{source.id.hash, trial.preprocessor};
    if (const auto known = preprocessors_.find(key); known != preprocessors_.end())
      return known->second;
    const Schema& schema = catalogue_.preprocessors.at(name).schema;
    const auto attacks = training_attacks(trial, catalogue_);
    Json spec{{"dataset", source.id.hash},
              {"preprocessor", without_locations(schema, trial.preprocessor)}};
    Task task{.inputs = {source.id},
              .locations = locations_of(schema, trial.preprocessor),
              .label = concat("train ", name),
              .cost = preprocessor_passes(trial.preprocessor, attacks.size()) *
                      static_cast<double>(source.summary.train_total()),
              .devices = static_cast<int>(sweep_.run.devices_per_trial)};
    add_parallel(spec, "preprocessor.batch_size", trial.preprocessor,
                 source.summary.train_total() * std::max<std::int64_t>(1, std::ssize(attacks)));
    if (!attacks.empty()) {
      const Target guide{model(source, sweep_.attacker), std::nullopt};
      guide.add_to(spec, task.inputs);
      for (const auto& attack : attacks) {
        task.inputs.push_back(adversarial_set(source, guide, attack, "train"));
        spec["adversarial_sets"].push_back(task.inputs.back().hash);
      }
    }
    return preprocessors_[key] = add(ArtifactKind::preprocessor, std::move(spec), std::move(task));
  }

  /// The adversarial test images that a column shows a trial.
  /// @param text  names the trial
  ArtifactId set_of(const Source& source, const Target& self, const std::string& text,
                    const Column& column) {
    if (column.is_white_box())
      return adversarial_set(source, self, column.attack, "test", concat(" against ", text));
    const std::pair key{source.id.hash, Json{column.attack, column.attacker}};
    if (const auto known = sets_.find(key); known != sets_.end()) return known->second;
    const Trial& attacker =
        column.attacker.empty() ? sweep_.attacker : sweep_.attackers.at(column.attacker);
    return sets_[key] = adversarial_set(source, target_of(source, attacker), column.attack, "test");
  }

  ArtifactId adversarial_set(const Source& source, const Target& attacked, const std::string& key,
                             const std::string& split, const std::string& against = "") {
    const Json& attack = sweep_.attacks.at(key);
    Json spec{{"dataset", source.id.hash}, {"attack", attack}, {"split", split}};
    Task whole{.label = concat("attack ", key, split == "test" ? "" : " on " + split, against)};
    attacked.add_to(spec, whole.inputs);
    whole.inputs.push_back(source.id);
    const auto count = split == "test" ? source.summary.test_total() : source.summary.train_total();
    const auto shards = (count + sweep_.run.shard_size - 1) / sweep_.run.shard_size;
    if (shards > 1) {
      const std::vector<ArtifactId> read = whole.inputs;
      for (std::int64_t i = 0; i < shards; ++i)
        whole.inputs.push_back(
            shard(spec, read, i, count, concat(whole.label, " part ", i + 1, "/", shards)));
      whole.label = concat("join ", whole.label);
      whole.cost = kJoiningCost;
    } else {
      whole.cost = attack_passes(attack) * static_cast<double>(count);
    }
    return add(ArtifactKind::adversarial_set, std::move(spec), std::move(whole));
  }

  ArtifactId shard(Json spec, const std::vector<ArtifactId>& inputs, std::int64_t index,
                   std::int64_t total, const std::string& label) {
    const std::int64_t first = index * sweep_.run.shard_size;
    const std::int64_t count = std::min(sweep_.run.shard_size, total - first);
    const double cost = attack_passes(spec.at("attack")) * static_cast<double>(count);
    spec["first"] = first;
    spec["count"] = count;
    return add(ArtifactKind::adversarial_shard, std::move(spec),
               {.inputs = inputs, .label = label, .cost = cost, .temporary = true});
  }

  ArtifactId evaluation(const Source& source, const Target& target, const std::string& text,
                        const Column& column, const std::map<std::string, ArtifactId>& sets) {
    Json spec{{"dataset", source.id.hash}, {"split", "test"}, {"pixels", column.pixels}};
    spec["adversarial_set"] = column.is_clean() ? Json() : Json(sets.at(column.label).hash);
    Task task{
        .label = concat("evaluate ", text, " on ", column.is_clean() ? "clean" : column.label),
        .cost = 0.3 * static_cast<double>(source.summary.test_total())};
    target.add_to(spec, task.inputs);
    task.inputs.push_back(source.id);
    if (!column.is_clean()) task.inputs.push_back(sets.at(column.label));
    return add(ArtifactKind::evaluation, std::move(spec), std::move(task));
  }

  const Sweep& sweep_;
  const Catalogue& catalogue_;
  const Inspect& inspect_;
  /// Keys that tell classifiers apart, and what labels call them.
  std::vector<std::pair<std::string, std::string>> varying_;
  WeightFiles weights_;
  Graph graph_;
  std::unordered_set<std::string> planned_;  ///< hashes
  std::map<Json, Source> sources_;
  /// What trials of one dataset share: by its hash, and what it is made from beside it.
  std::map<std::pair<std::string, Json>, ArtifactId> preprocessors_, sets_;
};

}  // namespace

Graph build_graph(const Sweep& sweep, const Catalogue& catalogue, const Inspect& inspect) {
  return Builder(sweep, catalogue, inspect).build();
}

std::vector<std::vector<std::size_t>> input_indices(const Graph& graph) {
  std::unordered_map<std::string_view, std::size_t> index;
  std::vector<std::vector<std::size_t>> inputs;
  inputs.reserve(graph.tasks.size());
  for (const auto& task : graph.tasks) {
    auto& list = inputs.emplace_back();
    for (const auto& input : task.inputs) list.push_back(index.at(input.hash));
    index.emplace(task.output.hash, index.size());
  }
  return inputs;
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
