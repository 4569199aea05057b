#include "runner/upkeep/recorded_run.hpp"

#include <set>
#include <system_error>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "core/untrusted_json.hpp"
#include "runner/upkeep/store_scan.hpp"

namespace sweep::upkeep {
namespace {

namespace fs = std::filesystem;

/// Reads "tasks"; a value that is not what it should be throws Json::exception or Error.
class TaskReader {
 public:
  std::vector<RecordedTask> read(const Json& tasks) {
    for (const auto& task : tasks) {
      read_one(task);
      ++index_;
    }
    return std::move(tasks_);
  }
  std::string place() const { return concat("tasks[", index_, "]"); }

 private:
  void read_one(const Json& json) {
    RecordedTask task{{storage::artifact_kind_from(json.at("kind").get<std::string>()),
                       json.at("hash").get<std::string>()},
                      json.at("label").get<std::string>(),
                      {},
                      json.at("temporary").get<bool>()};
    if (!is_hash(task.id.hash)) refuse("its hash is no name of an artifact");
    if (!names_.insert(task.id).second) refuse("its artifact is made twice");
    for (const auto& input : json.at("inputs")) {
      if (!input.is_number_unsigned() || input.get<std::size_t>() >= index_)
        refuse("its inputs are no tasks before it");
      task.inputs.push_back(input.get<std::size_t>());
    }
    tasks_.push_back(std::move(task));
  }
  [[noreturn]] static void refuse(const std::string& what) {
    throw Error(FailureType::bad_data, what);
  }

  std::vector<RecordedTask> tasks_;
  std::set<storage::ArtifactId> names_;
  std::size_t index_ = 0;
};

}  // namespace

RecordedRun read_run(const std::filesystem::path& plan_file, const std::string& name) {
  RecordedRun run{.name = name, .file = plan_file, .plan = report::read_plan(plan_file, name)};
  run.record = parse_untrusted(read_text(plan_file));
  TaskReader reader;
  std::string problem;
  try {
    run.tasks = reader.read(run.record.at("tasks"));
    return run;
  } catch (const Json::exception& error) {
    problem = error.what();
  } catch (const Error& error) {
    problem = error.what();
  }
  throw InputError(concat("'", plan_file.string(), "' is damaged (", reader.place(), ": ", problem,
                          "); run the sweep again, which writes it anew and keeps all finished "
                          "work"));
}

std::vector<std::string> planned_runs(const storage::Store& store) {
  std::vector<std::string> names;
  for (const auto& name : run_names(store))
    for (const auto& run : {name, name + "/data"})
      if (is_file(store.run_folder(run) / "plan.json")) names.push_back(run);
  return names;
}

std::vector<UnseenPlan> unseen_plans(const storage::Store& store) {
  std::vector<UnseenPlan> unseen;
  const auto type_of = [&](const std::string& run, const fs::path& path) {
    std::error_code error;
    const auto type = fs::symlink_status(path, error).type();
    if (type == fs::file_type::symlink)
      unseen.push_back(
          {run, path, "is a link", "put what it leads to in its place: links are not followed"});
    return type;
  };
  const fs::path runs = store.root() / "runs";
  type_of("", runs);
  for (const auto& folder : entries_of(runs)) {
    const std::string run = folder.filename();
    for (const auto& place : {folder, folder / "data"}) {
      if (type_of(run, place) != fs::file_type::directory) continue;
      const fs::path plan = place / "plan.json";
      const auto type = type_of(run, plan);
      const bool is_gone = type == fs::file_type::not_found && is_file(place / "journal.jsonl");
      if (is_gone || type == fs::file_type::directory)
        unseen.push_back({run, plan,
                          is_gone ? "is not there, though the run has a history" : "is a folder",
                          plan_remedy(run)});
    }
  }
  return unseen;
}

std::string plan_remedy(const std::string& run) {
  return concat(
      "run the sweep again, which writes its plan and keeps all finished work, or give "
      "the run up: sweep_runner gc --forget ",
      run.substr(0, run.find('/')));
}

void mark_with_inputs(const RecordedRun& run, std::size_t task, std::vector<bool>& marks) {
  std::vector<std::size_t> open{task};
  while (!open.empty()) {
    const std::size_t next = open.back();
    open.pop_back();
    if (marks[next]) continue;
    marks[next] = true;
    open.insert(open.end(), run.tasks[next].inputs.begin(), run.tasks[next].inputs.end());
  }
}

}  // namespace sweep::upkeep
