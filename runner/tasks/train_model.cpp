#include <ATen/ATen.h>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/tasks/task.hpp"
#include "runner/tasks/tensors.hpp"
#include "trainer/training.hpp"

namespace sweep::tasks {
namespace {

using storage::Content;

/// The options of a plugin without its name.
Json options_of(const Json& plugin) {
  Json options = plugin;
  options.erase("name");
  return options;
}

/// The file that training starts from, which must be the one that was planned with; or nothing.
std::filesystem::path weights_of(const Task& task) {
  const std::string planned = task.spec.at("model").value("weights_sha256", "");
  if (planned.empty()) return {};
  const std::filesystem::path path = task.locations.at("weights").get<std::string>();
  if (sha256_of_file(path) != planned)
    throw InputError(concat("the weights '", path.string(),
                            "' are not those that the run was planned with (the name of what is "
                            "trained holds their checksum); start the run again"));
  return path;
}

trainer::TrainingJob job_of(const Task& task, const Content& dataset) {
  const Json& spec = task.spec;
  trainer::TrainingJob job;
  job.model = spec.at("model").at("name");
  job.model_options = options_of(spec.at("model"));
  job.weights = weights_of(task);
  job.defence = spec.at("defence").at("name");
  job.defence_options = options_of(spec.at("defence"));
  job.options = read_options(trainer::training_options(), spec.at("training"));
  job.num_classes = static_cast<std::int64_t>(
      Json::parse(dataset.attributes.at("class_names").get<std::string>()).size());
  job.images = images_of(dataset, "train");
  job.labels = labels_of(dataset, "train");
  job.device = task.device;
  return job;
}

Content checkpoint_of(const trainer::TrainingState& state) {
  Content content;
  // Long histories do not fit into an attribute: the progress is a text in an array of its own.
  const std::string progress = Json(state.progress).dump();
  content.arrays["progress"] =
      storage::Array::own(std::vector<std::uint8_t>(progress.begin(), progress.end()),
                          {static_cast<std::int64_t>(progress.size())});
  for (const auto& [name, tensor] : state.tensors)
    content.arrays["tensors/" + name] = to_array(tensor);
  return content;
}

std::optional<trainer::TrainingState> read_checkpoint(const Task& task) {
  const auto content = task.store.read_checkpoint(task.output);
  if (!content) return std::nullopt;
  const auto text = content->array("progress").values<std::uint8_t>();
  trainer::TrainingState state;
  Json::parse(text.begin(), text.end()).get_to(state.progress);
  constexpr std::string_view kPrefix = "tensors/";
  for (const auto& [name, array] : content->arrays)
    if (name.rfind(kPrefix, 0) == 0) state.tensors[name.substr(kPrefix.size())] = to_tensor(array);
  log_info(
      concat("going on from epoch ", state.progress.epoch + 1, " step ", state.progress.step + 1));
  return state;
}

trainer::TrainingHooks hooks_of(const Task& task) {
  return {.on_progress =
              [&](const trainer::StepReport& report) {
                task.channel.progress(report.fraction,
                                      concat("epoch ", report.epoch, "/", report.epochs, " loss ",
                                             fixed(report.loss, 4), " ",
                                             fixed(report.images_per_second, 0), " images/s"));
              },
          .stop_requested = [&] { return task.channel.stop_requested(); },
          .save =
              [&](const trainer::TrainingState& state) {
                task.store.write_checkpoint(task.output, checkpoint_of(state), task.epoch);
              },
          .checkpoint_seconds = task.run.at("checkpoint_seconds").get<double>()};
}

void add_history(Content& content, const std::vector<trainer::EpochMetrics>& history) {
  std::map<std::string, std::vector<double>> columns;
  for (const auto& epoch : history) {
    const Json metrics = epoch;
    for (const auto& [metric, value] : metrics.items())
      columns[metric].push_back(value.get<double>());
  }
  for (auto& [metric, values] : columns) {
    const auto epochs = static_cast<std::int64_t>(values.size());
    content.arrays["history/" + metric] = storage::Array::own(std::move(values), {epochs});
  }
}

}  // namespace

Content train_model(const Task& task) {
  const Content dataset = task.store.read(task.inputs.at(0));
  const auto result = trainer::train(job_of(task, dataset), read_checkpoint(task), hooks_of(task));
  if (!result.finished) throw Stopped{};
  Content content;
  content.attributes["class_names"] = dataset.attributes.at("class_names");
  for (const auto& [name, tensor] : result.tensors)
    content.arrays["state/" + name] = to_array(tensor);
  add_history(content, result.history);
  return content;
}

}  // namespace sweep::tasks
