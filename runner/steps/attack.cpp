#include "attacks/attack_set.hpp"

#include <ATen/ATen.h>

#include <chrono>
#include <iostream>

#include "attacks/goal.hpp"
#include "attacks/goal_options.hpp"
#include "attacks/gradient.hpp"
#include "core/text.hpp"
#include "runner/steps/image_source.hpp"
#include "runner/steps/metrics.hpp"
#include "runner/steps/network.hpp"
#include "runner/steps/output.hpp"
#include "runner/steps/settings.hpp"
#include "runner/steps/steps.hpp"
#include "runner/tasks/tensors.hpp"
#include "storage/artifact_file.hpp"
#include "trainer/device.hpp"
#include "trainer/precision.hpp"

namespace sweep::steps {
namespace {

/// The options of an attack and of its goal, as in a sweep file's [attacks.KEY].
Json attack_options(const AttackRequest& request) {
  Schema schema = chosen(attacks::AttackRegistry::instance(), "--attack", request.attack).schema;
  const Schema goal = describe(attacks::goal_options());
  schema.insert(schema.end(), goal.begin(), goal.end());
  return resolve_settings(schema, request.settings, "attack", concat("--attack ", request.attack));
}

attacks::AttackedSet perturb(const AttackRequest& request, const Json& options,
                             const Network& network, const at::Tensor& images,
                             const at::Tensor& labels) {
  Progress progress(request.attack);
  const Precision precision = trainer::precision_on(network.device(), options.at("precision"));
  const trainer::Tf32 tf32(precision);
  const attacks::ImagesToAttack set{
      .batch = [&](std::int64_t first,
                   std::int64_t count) { return network.input(images.narrow(0, first, count)); },
      .labels = labels,
      .batch_size = network.batch()};
  return attacks::attack_set(
      request.attack, options, network.logits(precision), set,
      [&](double fraction) { progress.report(fraction, concat(images.size(0), " images")); });
}

}  // namespace

ExitCode attack(const AttackRequest& request) {
  const Json options = attack_options(request);
  check_model(request.model);
  check_output(request.out, {request.model.weights, request.images.path});
  const LabelledImages set =
      load_images(request.images, request.model.num_classes, threads_of(request.computing));
  const Network network(request.model, request.computing);

  const at::Tensor images = tasks::to_tensor(set.images), labels = tasks::to_tensor(set.labels);
  const auto start = std::chrono::steady_clock::now();
  const attacks::AttackedSet attacked = perturb(request, options, network, images, labels);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const at::Tensor logits = network.predict(attacked.images);
  const auto [l2, linf] = distances(attacked.images, images);
  const Results results{
      .labels = labels,
      .predictions = logits.argmax(1),
      .clean_predictions = network.predict(images).argmax(1),
      .success = attacks::is_reached(logits, {attacked.classes, attacked.targeted, 0}),
      .l2 = l2,
      .linf = linf};

  storage::Content content;
  content.attributes = provenance(request.model, request.computing);
  content.attributes["device"] = trainer::device_name(network.device());
  content.attributes["attack"] = request.attack;
  content.attributes["attack_options"] = options.dump();
  content.arrays["images"] = tasks::to_array(attacked.images);
  content.arrays["clean_images"] = set.images;
  content.arrays["labels"] = set.labels;
  content.arrays["logits"] = tasks::to_array(logits);
  content.arrays["predictions"] = tasks::to_array(results.predictions);
  content.arrays["clean_predictions"] = tasks::to_array(results.clean_predictions);
  content.arrays["success"] = tasks::to_array(results.success.to(at::kByte));
  content.arrays["l2"] = tasks::to_array(l2);
  content.arrays["linf"] = tasks::to_array(linf);
  if (attacked.targeted) content.arrays["target_classes"] = tasks::to_array(attacked.classes);
  storage::write_artifact(request.out, content);

  Json metrics = metrics_of(results);
  metrics["attack"] = options;
  metrics["attack"]["method"] = request.attack;
  metrics["seconds"] = took.count();
  if (request.json) {
    std::cout << metrics.dump(2) << "\n";
  } else {
    std::cout << request.attack << " " << options.dump() << "\n"
              << text_of(metrics) << "wrote " << request.out.string() << "\n";
  }
  return ExitCode::ok;
}

}  // namespace sweep::steps
