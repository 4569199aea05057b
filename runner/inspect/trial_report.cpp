#include "runner/inspect/trial_report.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/text_table.hpp"
#include "runner/inspect/logs.hpp"
#include "runner/inspect/measured.hpp"
#include "runner/inspect/trial_list.hpp"

namespace sweep::inspect {
namespace {

namespace fs = std::filesystem;
using storage::ArtifactKind;

constexpr std::size_t kShownEpochs = 10;
constexpr std::size_t kInputLabelWidth = 70;

/// What `read` returns; null, and a line in "problems", when an artifact can't be used.
template <class Read>
Json tried(Json& problems, Read read) {
  try {
    return read();
  } catch (const Error& error) {
    problems.push_back(error.what());
    return {};
  }
}

Json attempt_json(const RunView& run, const LogName& name) {
  const Attempt& attempt = run.history().task(name.task).attempts[name.attempt];
  const bool lost = attempt.outcome == "running" && !run.active();
  Json json{{"number", attempt.number},
            {"epoch", attempt.epoch},
            {"rank", attempt.rank},
            {"outcome", lost ? "lost" : attempt.outcome},
            {"seconds", attempt.seconds},
            {"log", (run.folder().logs() / log_file_name(run, name)).string()}};
  if (attempt.started > 0) json["started"] = utc_text(attempt.started);
  if (!attempt.failure.empty()) {
    json["failure"] = attempt.failure;
    json["message"] = attempt.message;
  }
  return json;
}

const RankStatus* rank_of(const RunView& run, std::size_t task) {
  if (!run.active()) return nullptr;
  for (const auto& rank : run.status().ranks)
    if (rank.task && *rank.task == static_cast<std::int64_t>(task)) return &rank;
  return nullptr;
}

Json task_json(const RunView& run, std::size_t index, bool own) {
  const Task& task = run.plan().tasks[index];
  const TaskState& state = run.tasks()[index];
  Json json{{"kind", storage::to_string(task.output.kind)},
            {"artifact", task.output.hash},
            {"label", task.label},
            {"state", to_string(state.state)},
            {"own", own},
            {"temporary", task.temporary},
            {"seconds", state.seconds},
            {"attempts", Json::array()}};
  for (std::size_t i = 0; i < run.history().task(index).attempts.size(); ++i)
    json["attempts"].push_back(attempt_json(run, {index, i}));
  if (const RankStatus* rank = rank_of(run, index)) {
    json["progress"] = rank->text;
    if (rank->fraction) json["fraction"] = *rank->fraction;
  }
  return json;
}

Json training_json(const RunView& run, const Trial& trial, Json& provenance, Json& problems) {
  const auto models = models_of(run.plan(), trial);
  if (models.empty()) return {};
  return tried(problems, [&]() -> Json {
    const auto training = training_of(run.folder().store, run.plan().tasks[models.front()].output);
    if (!training) return {};
    provenance = training->provenance;
    return {{"finished", training->finished}, {"history", training->metrics}};
  });
}

/// Of the trial's own training; null where there is none.
Json tensorboard_folder(const RunView& run, const Trial& trial) {
  const auto models = models_of(run.plan(), trial);
  if (models.empty()) return {};
  const std::string end = "." + run.plan().tasks[models.front()].output.hash.substr(0, 8);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(run.folder().path / "tensorboard", error))
    if (entry.path().filename().string().ends_with(end)) return entry.path().string();
  return {};
}

Json files_json(const RunView& run, const Trial& trial, const std::vector<std::size_t>& tasks) {
  Json files{{"artifacts", Json::array()}, {"checkpoints", Json::array()}};
  std::error_code error;
  for (const auto index : tasks) {
    const auto& id = run.plan().tasks[index].output;
    if (const auto path = run.folder().store.artifact_path(id); fs::exists(path, error))
      files["artifacts"].push_back(path.string());
    if (const auto path = run.folder().store.checkpoint_path(id); fs::exists(path, error))
      files["checkpoints"].push_back(path.string());
  }
  files["tensorboard"] = tensorboard_folder(run, trial);
  return files;
}

std::string spec_lines(const Json& spec) {
  std::string text = "\nspec\n";
  for (const auto& [key, value] : leaves(spec))
    text += printable(concat("  ", key, " = ", value.dump())) + "\n";
  return text;
}

/// Shards that are done are one line: there may be hundreds.
std::string task_lines(const Json& tasks) {
  TextTable table{{{"task"}, {"state"}, {"attempts", true}, {"seconds", true}, {""}, {"what"}}, {}};
  std::size_t hidden = 0;
  for (const auto& task : tasks) {
    if (task.at("temporary") == true && task.at("state") == "done") {
      ++hidden;
      continue;
    }
    std::string what = clipped(task.at("label").get<std::string>(), kInputLabelWidth);
    if (task.contains("progress")) what += "  " + task.at("progress").get<std::string>();
    table.rows.push_back({value_text(task.at("kind")), value_text(task.at("state")),
                          concat(task.at("attempts").size()),
                          fixed(task.at("seconds").get<double>(), 1),
                          task.at("own") == true ? "" : "shared", what});
  }
  std::string text = "\n" + table.text();
  if (hidden > 0) text += concat("and ", hidden, " parts of attacks, done\n");
  return text;
}

std::string attempt_lines(const Json& tasks) {
  std::string text;
  for (const auto& task : tasks) {
    if (task.at("attempts").empty()) continue;
    const Json& attempt = task.at("attempts").back();
    if (attempt.contains("failure"))
      text += printable(concat("  ", value_text(task.at("label")), ": ",
                               value_text(attempt.at("failure")), ": ",
                               value_text(attempt.at("message")))) +
              "\n    log: " + printable(value_text(attempt.at("log"))) + "\n";
  }
  return text.empty() ? "" : "\nfailures\n" + text;
}

std::string training_lines(const Json& training, bool whole) {
  if (training.is_null() || training.at("history").empty()) return "";
  const Json& history = training.at("history");
  std::size_t epochs = 0;
  TextTable table{{{"epoch", true}}, {}};
  for (const auto& [metric, values] : history.items()) {
    table.columns.push_back({metric, true});
    epochs = std::max(epochs, values.size());
  }
  const std::size_t first = whole || epochs < kShownEpochs ? 0 : epochs - kShownEpochs;
  for (std::size_t epoch = first; epoch < epochs; ++epoch) {
    auto& row = table.rows.emplace_back(1, concat(epoch + 1));
    for (const auto& values : history)
      row.push_back(epoch < values.size() ? concat(values[epoch].get<double>()) : "");
  }
  const char* state = training.at("finished") == true ? "training" : "training, at the checkpoint";
  std::string text = concat("\n", state, "\n", table.text());
  if (first > 0) text += concat("and ", first, " earlier epochs: --history\n");
  return text;
}

std::string file_lines(const Json& trial) {
  std::string text = "\nfiles\n";
  const auto add = [&text](const Json& path) {
    text += "  " + printable(path.get<std::string>()) + "\n";
  };
  for (const char* kind : {"artifacts", "checkpoints"})
    for (const auto& path : trial.at("files").at(kind)) add(path);
  if (const Json& folder = trial.at("files").at("tensorboard"); !folder.is_null()) add(folder);
  for (const auto& task : trial.at("tasks"))
    if (task.at("own") == true && !task.at("attempts").empty())
      add(task.at("attempts").back().at("log"));
  return text;
}

}  // namespace

Json trial_json(const RunView& run, std::size_t index) {
  const Trial& trial = run.plan().trials[index];
  const TrialState& state = run.trials()[index];
  const auto tasks = needed_tasks(run.plan(), trial);
  Json problems = Json::array(), provenance, metrics = Json::object(), list = Json::array();
  for (const auto task : tasks)
    list.push_back(
        task_json(run, task, std::binary_search(state.own.begin(), state.own.end(), task)));
  for (const auto& [column, task] : trial.evaluations)
    metrics[column] = tried(problems, [&, evaluation = task]() -> Json {
      const auto accuracy = accuracy_of(run.folder().store, run.plan().tasks[evaluation].output);
      return accuracy ? Json(*accuracy) : Json();
    });
  const Json training = training_json(run, trial, provenance, problems);
  return {{"trial", trial.id},        {"label", trial.label},
          {"row", trial.row},         {"state", to_string(state.state)},
          {"why", state.why},         {"seconds", state.seconds},
          {"spec", *trial.spec},      {"tasks", list},
          {"training", training},     {"metrics", metrics},
          {"provenance", provenance}, {"files", files_json(run, trial, state.own)},
          {"problems", problems}};
}

std::string trial_text(const Json& trial, bool whole_history) {
  std::string text =
      concat("trial    ", trial.at("trial").get<std::int64_t>(), "  ",
             printable(value_text(trial.at("label"))), "\nrow      ",
             printable(value_text(trial.at("row"))), "\nstate    ", value_text(trial.at("state")));
  if (const auto why = value_text(trial.at("why")); !why.empty()) text += "  " + printable(why);
  text += concat("\ntime     ", duration_text(trial.at("seconds").get<double>()), "\n");
  text += spec_lines(trial.at("spec")) + task_lines(trial.at("tasks")) +
          attempt_lines(trial.at("tasks")) + training_lines(trial.at("training"), whole_history);
  std::string accuracies;
  for (const auto& [column, value] : trial.at("metrics").items())
    if (!value.is_null())
      accuracies += printable(concat("  ", column, "  ", fixed(value.get<double>(), 2))) + "\n";
  if (!accuracies.empty()) text += "\naccuracy, percent\n" + accuracies;
  text += file_lines(trial);
  if (!trial.at("provenance").is_null()) {
    text += "\nprovenance of the model\n";
    for (const auto& [key, value] : leaves(trial.at("provenance")))
      text += printable(concat("  ", key, " = ", value_text(value))) + "\n";
  }
  return text;
}

}  // namespace sweep::inspect
