#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "runner/plan/sweep.hpp"
#include "storage/store.hpp"
#include "trainer/datasets/dataset.hpp"

namespace sweep::plan {

/// The making of one artifact by one executor.
struct Task {
  storage::ArtifactId output;
  std::vector<storage::ArtifactId> inputs;
  std::string spec_text;  ///< what is made, canonical JSON: its SHA-256 is the output's name
  Json locations = Json::object();  ///< where inputs lie; no part of the name
  std::string label;  ///< for people: "train denoising lambda_n=0.1 lambda_a=0 seed=0"
  double cost = 0;    ///< estimated work, in forward and backward passes of one image
  int devices = 1;    ///< ranks that work on it together
  int priority = 0;   ///< higher first: the highest of the trials that need it; no part of the name
  bool temporary = false;  ///< only needed until what is made of it is there

  /// Kept as text, which takes a fifth of the memory: sweeps have ten thousands of tasks.
  Json spec() const { return Json::parse(spec_text); }
};

/// The artifact graph of a sweep. Tasks stand behind those whose output they read.
struct Graph {
  std::vector<Task> tasks;
  /// Per trial: the evaluation of every column, by its label.
  std::vector<std::map<std::string, storage::ArtifactId>> evaluations;
  /// Per trial: the adversarial set of every attack column, by its label. White-box columns have
  /// another one for every trial.
  std::vector<std::map<std::string, storage::ArtifactId>> adversarial_sets;
  /// Per trial, what tells it from the others: "reformer + denoising lambda_n=0.1 seed=0".
  std::vector<std::string> trial_labels;
  /// The prepared datasets, in the order of the trials, each once.
  std::vector<storage::ArtifactId> datasets;
};

/// What the planner has to know of a dataset, given its resolved options.
using Inspect = std::function<trainer::DatasetSummary(const Json& dataset)>;

/// Options that say where a dataset lies are left out of names; its source's fingerprint is in
/// them.
/// @throws InputError from inspecting a dataset.
Graph build_graph(const Sweep& sweep, const Catalogue& catalogue, const Inspect& inspect);

/// Per task: the indices of its inputs.
std::vector<std::vector<std::size_t>> input_indices(const Graph& graph);

/// Looks the dataset up in the registry of this program and inspects it.
trainer::DatasetSummary inspect_registered(const Json& dataset);

}  // namespace sweep::plan
