#include "runner/inspect/plan.hpp"

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/untrusted_json.hpp"

namespace sweep::inspect {
namespace {

using storage::ArtifactKind;

constexpr int kPlanVersion = 3;
constexpr std::uintmax_t kLargestPlanFile = std::uintmax_t{256} << 20;

storage::ArtifactKind read_kind(const JsonNode& node) {
  try {
    return storage::artifact_kind_from(node.text());
  } catch (const InputError&) {
    throw;
  } catch (const Error&) {
    node.check(false, "the kind of an artifact");
    throw;
  }
}

Task read_task(const JsonNode& node, std::size_t index) {
  Task task{.output = {read_kind(node.at("kind")), node.at("hash").hash()},
            .label = node.at("label").text(),
            .cost = node.at("cost").number(),
            .devices = node.at("devices").integer(),
            .temporary = node.at("temporary").boolean()};
  node.at("inputs").for_each([&](const JsonNode& input) {
    const std::int64_t number = input.integer();
    input.check(number >= 0 && static_cast<std::size_t>(number) < index,
                "the index of a task that stands before");
    task.inputs.push_back(static_cast<std::size_t>(number));
  });
  return task;
}

Trial read_trial(const JsonNode& node, const std::string& row, const Plan& plan) {
  Trial trial{.id = node.at("id").integer(),
              .label = node.at("label").text(),
              .row = row,
              .spec = &node.at("spec").object()};
  node.at("id").check(trial.id >= 0, "the number of a trial");
  for (const auto& [column, hash] : node.at("evaluations").table()) {
    const auto task = plan.by_hash.find(hash.hash());
    hash.check(task != plan.by_hash.end(), "the artifact of a task");
    trial.evaluations.emplace(column, task->second);
  }
  return trial;
}

void read_trials(const JsonNode& rows, Plan& plan) {
  rows.for_each([&](const JsonNode& row) {
    const std::string label = row.at("label").text();
    row.at("trials").for_each(
        [&](const JsonNode& trial) { plan.trials.push_back(read_trial(trial, label, plan)); });
  });
  // A trial may stand in several rows.
  const auto by_id = [](const Trial& a, const Trial& b) { return a.id < b.id; };
  const auto same_id = [](const Trial& a, const Trial& b) { return a.id == b.id; };
  std::stable_sort(plan.trials.begin(), plan.trials.end(), by_id);
  plan.trials.erase(std::unique(plan.trials.begin(), plan.trials.end(), same_id),
                    plan.trials.end());
}

void check_version(const Json& document, const std::filesystem::path& path) {
  const Json version = document.value("version", Json());
  if (version != kPlanVersion)
    throw InputError(concat("'", path.string(), "' has version ",
                            version.is_structured() ? "no number" : version.dump(),
                            " (this program reads ", kPlanVersion,
                            "); use the sweep_runner that wrote it"));
}

}  // namespace

Plan read_plan(const std::filesystem::path& path) {
  const JsonOrigin origin{path.string(),
                          "run the sweep again, which writes it anew and keeps all finished work"};
  Plan plan;
  plan.document = parse_untrusted(read_bounded(path, kLargestPlanFile));
  if (!plan.document.is_object()) refuse_damaged(origin, "it is not a JSON object");
  check_version(plan.document, path);
  const JsonNode root(plan.document, origin), table = root.at("table");
  plan.title = table.at("title").text();
  if (const auto file = root.at("sweep").find("file")) plan.file = file->text();
  table.at("columns").for_each(
      [&](const JsonNode& column) { plan.columns.push_back(column.at("label").text()); });
  root.at("tasks").for_each([&](const JsonNode& node) {
    plan.tasks.push_back(read_task(node, plan.tasks.size()));
    const bool is_new =
        plan.by_hash.emplace(plan.tasks.back().output.hash, plan.tasks.size() - 1).second;
    node.at("hash").check(is_new, "a name of its own (two tasks have it)");
  });
  read_trials(table.at("rows"), plan);
  plan.document.erase("tasks");  // half of the memory; trials refer to the rest
  return plan;
}

std::vector<std::size_t> needed_tasks(const Plan& plan, const Trial& trial) {
  std::set<std::size_t> needed;
  for (const auto& [column, task] : trial.evaluations) needed.insert(task);
  // Inputs stand before what is made of them: from the last to the first, none is missed.
  for (auto task = needed.rbegin(); task != needed.rend(); ++task)
    needed.insert(plan.tasks[*task].inputs.begin(), plan.tasks[*task].inputs.end());
  return {needed.begin(), needed.end()};
}

std::vector<std::size_t> models_of(const Plan& plan, const Trial& trial) {
  std::set<std::size_t> models;
  for (const auto& [column, task] : trial.evaluations)
    for (const auto input : plan.tasks[task].inputs)
      if (plan.tasks[input].output.kind == ArtifactKind::model) models.insert(input);
  return {models.begin(), models.end()};
}

}  // namespace sweep::inspect
