#include <ATen/ATen.h>

#include <iostream>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/steps/image_source.hpp"
#include "runner/steps/metrics.hpp"
#include "runner/steps/network.hpp"
#include "runner/steps/output.hpp"
#include "runner/steps/steps.hpp"
#include "runner/tasks/tensors.hpp"
#include "storage/image_set.hpp"

namespace sweep::steps {
namespace {

/// What the request leaves open is that of the attacked model.
ModelSource completed(ModelSource model, const std::filesystem::path& set) {
  if (!model.arch.empty() && model.num_classes > 0) {
    if (model.normalize.empty()) model.normalize = ModelSource{}.normalize;
    return model;
  }
  try {
    const Json attacked = storage::read_set_attributes(set);
    if (model.arch.empty()) attacked.at("arch").get_to(model.arch);
    if (model.num_classes == 0) attacked.at("num_classes").get_to(model.num_classes);
    if (model.normalize.empty()) attacked.at("normalize").get_to(model.normalize);
  } catch (const std::exception& error) {  // not there, not ours, or hostile
    throw InputError(concat("--arch and --num-classes are not both given, and '", set.string(),
                            "' does not say which model it was made against (", error.what(),
                            "); give both, or a set that sweep_runner attack has written"));
  }
  std::cerr << "model: " << model.arch << ", " << model.num_classes << " classes, normalize "
            << model.normalize << " (as the attacked one, where not said)\n";
  return model;
}

storage::Content read_set(const EvaluateRequest& request) {
  storage::Content set = storage::read_image_set(
      request.set, {.more_images = {"clean_images"}, .more_integers = {"target_classes"}});
  const std::string what = concat("'", request.set.string(), "'");
  check_labels(set.array("labels"), request.model.num_classes, what);
  if (set.arrays.contains("target_classes"))
    check_labels(set.array("target_classes"), request.model.num_classes,
                 concat("target_classes of ", what));
  return set;
}

/// As an image file would hold them. What is bytes already stays so.
at::Tensor rounded(const at::Tensor& images) {
  return images.scalar_type() == at::kByte ? images : images.mul(255).round_().to(at::kByte);
}

}  // namespace

ExitCode evaluate(const EvaluateRequest& given) {
  EvaluateRequest request = given;
  request.model = completed(given.model, given.set);
  check_model(request.model);
  const storage::Content set = read_set(request);
  const Network network(request.model, request.computing);

  at::Tensor images = tasks::to_tensor(set.array("images"));
  if (request.pixels == "uint8") images = rounded(images);
  Results results{.labels = tasks::to_tensor(set.array("labels"))};
  Progress progress("evaluate");
  results.predictions =
      network.predict(images, [&](double fraction) { progress.report(fraction); }).argmax(1);
  if (set.arrays.contains("clean_images")) {
    const at::Tensor clean = tasks::to_tensor(set.array("clean_images"));
    results.clean_predictions = network.predict(clean).argmax(1);
    std::tie(results.l2, results.linf) = distances(images, clean);
    results.success = set.arrays.contains("target_classes")
                          ? results.predictions.eq(tasks::to_tensor(set.array("target_classes")))
                          : results.predictions.ne(results.labels);
  }
  Json metrics = metrics_of(results);
  metrics["confusion"] =
      confusion_of(results.labels, results.predictions, request.model.num_classes);
  metrics["pixels"] = images.scalar_type() == at::kByte ? "uint8" : "float32";
  if (request.json) {
    std::cout << metrics.dump(2) << "\n";
  } else {
    std::cout << text_of(metrics);
  }
  return ExitCode::ok;
}

}  // namespace sweep::steps
