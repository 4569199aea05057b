#include "runner/tasks/models.hpp"

#include <ATen/ATen.h>

#include "runner/tasks/tensors.hpp"
#include "trainer/inference.hpp"
#include "trainer/models/model.hpp"

namespace sweep::tasks {
namespace {

constexpr char kStatePrefix[] = "state/";

trainer::NamedTensors state_of(const storage::Content& content) {
  trainer::NamedTensors state;
  for (const auto& [name, array] : content.arrays)
    if (name.rfind(kStatePrefix, 0) == 0)
      state[name.substr(sizeof kStatePrefix - 1)] = to_tensor(array);
  return state;
}

}  // namespace

std::shared_ptr<trainer::Classifier> classifier_of(const Task& task,
                                                   const storage::ArtifactId& model) {
  static std::string kept_hash;
  static std::shared_ptr<trainer::Classifier> kept;
  if (kept && kept_hash == model.hash) return kept;
  const storage::Content content = task.store.read(model);
  const Json spec = Json::parse(content.attributes.at("spec").get<std::string>());
  const auto classes = Json::parse(content.attributes.at("class_names").get<std::string>()).size();
  Json options = spec.at("model");
  const std::string name = options.at("name");
  options.erase("name");
  kept = trainer::load_classifier(name, options, static_cast<std::int64_t>(classes),
                                  state_of(content), task.device);
  kept_hash = model.hash;
  return kept;
}

}  // namespace sweep::tasks
