#include "runner/tasks/training_task.hpp"

#include <ATen/ATen.h>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/tasks/checkpoint.hpp"
#include "runner/tasks/tensors.hpp"

namespace sweep::tasks {
namespace {

using storage::Content;

constexpr std::string_view kStatePrefix = "state/";

std::map<std::string, double> chosen(const trainer::EpochMetrics& metrics,
                                     const MetricNames& wanted) {
  auto values = Json(metrics).get<std::map<std::string, double>>();
  if (!wanted.empty())
    std::erase_if(values, [&](const auto& metric) { return !wanted.contains(metric.first); });
  return values;
}

void add_history(Content& content, const std::vector<trainer::EpochMetrics>& history,
                 const MetricNames& wanted) {
  std::map<std::string, std::vector<double>> columns;
  for (const auto& epoch : history)
    for (const auto& [metric, value] : chosen(epoch, wanted)) columns[metric].push_back(value);
  for (auto& [metric, values] : columns) {
    const auto epochs = static_cast<std::int64_t>(values.size());
    content.arrays["history/" + metric] = storage::Array::own(std::move(values), {epochs});
  }
}

}  // namespace

std::optional<trainer::TrainingState> read_checkpoint(const Task& task) {
  const auto content = task.store.read_checkpoint(task.output);
  if (!content) return std::nullopt;
  auto state = training_state(*content);
  log_info(
      concat("going on from epoch ", state.progress.epoch + 1, " step ", state.progress.step + 1));
  return state;
}

trainer::Parallel parallel_of(const Task& task, trainer::Communicator& communicator) {
  trainer::Parallel parallel{.communicator = &communicator};
  if (!task.spec.contains("parallel")) return parallel;
  const Json& spec = task.spec.at("parallel");
  if (spec.at("devices") != task.group.size)
    throw InputError(concat("this network is trained by ", spec.at("devices").get<int>(),
                            " ranks together, and here are ", task.group.size,
                            " (with run.batch_norm = \"local\" or run.gradient_compression the "
                            "result depends on it); run it as the sweep does"));
  parallel.synchronised_batch_norm = spec.at("batch_norm") == "synchronised";
  parallel.compressed_gradients = spec.at("gradient_compression") == "bf16";
  return parallel;
}

trainer::TrainingHooks hooks_of(const Task& task, const MetricNames& metrics) {
  trainer::TrainingHooks hooks = {
      .on_progress =
          [&](const trainer::StepReport& report) {
            task.channel.progress({.fraction = report.fraction,
                                   .text = concat("epoch ", report.epoch, "/", report.epochs,
                                                  " loss ", fixed(report.loss, 4), " ",
                                                  fixed(report.images_per_second, 0), " images/s"),
                                   .epoch = report.epoch,
                                   .loss = report.loss,
                                   .images_per_second = report.images_per_second});
          },
      .on_epoch =
          [&task, metrics](const trainer::EpochReport& report) {
            task.channel.send({{"type", "epoch"},
                               {"epoch", report.epoch},
                               {"step", report.step},
                               {"metrics", chosen(report.metrics, metrics)}});
          },
      .stop_requested =
          [&] {
            const auto reason = task.channel.stop_requested();
            // Before anything is saved: nobody goes on from there.
            if (reason == StopReason::prune) throw Stopped{*reason};
            return reason.has_value();
          },
      .save =
          [&](const trainer::TrainingState& state) {
            task.store.write_checkpoint(task.output, checkpoint_content(state), task.epoch);
          },
      .checkpoint_seconds = task.run.at("checkpoint_seconds").get<double>()};
  if (task.group.index > 0) hooks.on_epoch = {}, hooks.save = {};  // the lead's
  return hooks;
}

Content trained_content(const trainer::TrainingResult& result, const MetricNames& metrics) {
  Content content;
  for (const auto& [name, tensor] : result.tensors)
    content.arrays[concat(kStatePrefix, name)] = to_array(tensor);
  add_history(content, result.history, metrics);
  return content;
}

trainer::NamedTensors state_of(const Content& content) {
  trainer::NamedTensors state;
  for (const auto& [name, array] : content.arrays)
    if (name.starts_with(kStatePrefix)) state[name.substr(kStatePrefix.size())] = to_tensor(array);
  return state;
}

Json options_of(const Json& plugin) {
  Json options = plugin;
  options.erase("name");
  return options;
}

}  // namespace sweep::tasks
