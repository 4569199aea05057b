#include <ATen/ATen.h>

#include <algorithm>
#include <iostream>
#include <map>

#include "cluster/stop_signal.hpp"
#include "core/hash.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/steps/checkpoint.hpp"
#include "runner/steps/image_source.hpp"
#include "runner/steps/network.hpp"
#include "runner/steps/output.hpp"
#include "runner/steps/settings.hpp"
#include "runner/steps/steps.hpp"
#include "runner/tasks/tensors.hpp"
#include "trainer/defences/defence.hpp"
#include "trainer/device.hpp"
#include "trainer/models/model.hpp"
#include "trainer/training.hpp"
#include "trainer/training_options.hpp"
#include "trainer/weights/weights.hpp"

namespace sweep::steps {
namespace {

/// The settings of every table: "defence.sigma" is "sigma" of "defence".
std::map<std::string, std::vector<Setting>> by_table(const std::vector<Setting>& settings) {
  static const std::vector<std::string> tables{"defence", "model", "training"};
  std::map<std::string, std::vector<Setting>> sorted;
  for (const auto& setting : settings) {
    const auto dot = setting.key.find('.');
    const std::string table = setting.key.substr(0, dot);
    if (dot == std::string::npos || std::find(tables.begin(), tables.end(), table) == tables.end())
      throw InputError(concat(setting.written, ": unknown key ", setting.key,
                              " (keys start with defence., model. or training.)",
                              suggestion(table, tables)));
    sorted[table].push_back({setting.key.substr(dot + 1), setting.value, setting.written});
  }
  return sorted;
}

/// A training, at first without its images.
struct Plan {
  trainer::TrainingJob job;
  Json training;  ///< resolved, as job.options
};

Plan plan_of(const TrainRequest& request) {
  auto settings = by_table(request.settings);
  if (!request.init.empty())
    settings["model"].push_back(
        {"weights", Json(request.init.string()).dump(), concat("--init ", request.init.string())});
  Plan plan;
  auto& job = plan.job;
  job.model = request.arch;
  job.model_options =
      resolve_settings(chosen(trainer::ModelRegistry::instance(), "--arch", request.arch).schema,
                       settings["model"], "model", concat("--arch ", request.arch));
  job.weights = job.model_options.at("weights").get<std::string>();
  job.defence = request.defence;
  job.defence_options = resolve_settings(
      chosen(trainer::DefenceRegistry::instance(), "--defence", request.defence).schema,
      settings["defence"], "defence", concat("--defence ", request.defence));
  plan.training =
      resolve_settings(trainer::training_schema(), settings["training"], "training", "training");
  job.options = read_options(trainer::training_options(), plan.training);
  std::error_code ignored;
  if (!job.weights.empty() && !std::filesystem::is_regular_file(job.weights, ignored))
    throw InputError(concat("the weights '", job.weights.string(),
                            "' to start from are no file; give a safetensors or .pth file"));
  return plan;
}

std::string sha256_of(const storage::Array& array) {
  return sha256(std::span(static_cast<const std::byte*>(array.data.get()), array.bytes()));
}

/// All that a training follows from.
Json spec_of(const Plan& plan, const LabelledImages& set) {
  const auto& job = plan.job;
  Json model = job.model_options;
  model["name"] = job.model;
  model.erase("weights");
  if (!job.weights.empty()) model["weights_sha256"] = sha256_of_file(job.weights);
  Json defence = job.defence_options;
  defence["name"] = job.defence;
  return {
      {"model", model},
      {"defence", defence},
      {"training", plan.training},
      {"num_classes", job.num_classes},
      {"images", {{"sha256", sha256_of(set.images)}, {"labels_sha256", sha256_of(set.labels)}}}};
}

void check_training_set(const TrainRequest& request, const LabelledImages& set) {
  const std::string path = request.images.path.string();
  if (set.images.type != storage::ElementType::uint8)
    throw InputError(concat("'", path,
                            "' has images of floats (training takes bytes); store them "
                            "as uint8"));
  if (set.images.shape[0] < 2)
    throw InputError(
        concat("'", path, "' has one image (batch normalisation needs two); add more"));
}

trainer::TrainingHooks hooks_of(Progress& progress, const Checkpoint& checkpoint) {
  return {.on_progress =
              [&](const trainer::StepReport& report) {
                progress.report(report.fraction,
                                concat("epoch ", report.epoch, "/", report.epochs, "  loss ",
                                       fixed(report.loss, 4), "  ",
                                       fixed(report.images_per_second, 0), " images/s"));
              },
          .stop_requested = [] { return cluster::stop_signal() != 0; },
          .save = [&](const trainer::TrainingState& state) { checkpoint.save(state); }};
}

trainer::TrainingResult run(const trainer::TrainingJob& job, const Checkpoint& checkpoint) {
  const auto resume = checkpoint.read();
  if (resume)
    log_info(concat("going on from epoch ", resume->progress.epoch + 1, " step ",
                    resume->progress.step + 1, " ('", checkpoint.path().string(), "')"));
  cluster::install_stop_signals();
  log_info(concat("training ", job.model, " for ", job.options.epochs, " epochs of ",
                  job.images.size(0), " images; Ctrl-C saves and ends"));
  Progress progress("train");
  return trainer::train(job, resume, hooks_of(progress, checkpoint));
}

void print_history(const TrainRequest& request, const trainer::TrainingJob& job,
                   const std::vector<trainer::EpochMetrics>& history) {
  if (request.json) {
    std::cout << Json{{"num_classes", job.num_classes}, {"history", history}}.dump(2) << "\n";
    return;
  }
  const auto& last = history.back();
  std::cout << "epochs " << history.size() << ", of the last one: loss " << fixed(last.loss, 4)
            << ", accuracy " << fixed(100 * last.accuracy, 2)
            << " % (training images, while it changes)\nwrote " << request.out.string() << " ("
            << job.model << ", " << job.num_classes << " classes)\n";
}

}  // namespace

ExitCode train(const TrainRequest& request) {
  Plan plan = plan_of(request);
  auto& job = plan.job;
  check_output(request.out, {request.images.path, job.weights});
  const int threads = threads_of(request.computing);
  const LabelledImages set = load_images(request.images, request.num_classes, threads);
  check_training_set(request, set);
  job.num_classes = request.num_classes != 0
                        ? request.num_classes
                        : std::max<std::int64_t>(2, classes_in(set.labels, "the set"));
  trainer::configure_torch(threads);
  job.device = trainer::select_device(request.computing.device);
  job.images = tasks::to_tensor(set.images);
  job.labels = tasks::to_tensor(set.labels);

  const Checkpoint checkpoint(request.out, spec_of(plan, set));
  const auto result = run(job, checkpoint);
  if (!result.finished) {
    log_info(
        concat("interrupted; saved '", checkpoint.path().string(), "'; the same command goes on"));
    return ExitCode::interrupted;
  }
  trainer::write_safetensors(request.out, result.tensors);
  checkpoint.remove();
  print_history(request, job, result.history);
  return ExitCode::ok;
}

}  // namespace sweep::steps
