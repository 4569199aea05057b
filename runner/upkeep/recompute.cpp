#include "runner/upkeep/recompute.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>

#include "cluster/executor_process.hpp"
#include "cluster/host.hpp"
#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "core/untrusted_json.hpp"
#include "runner/plan/run_options.hpp"
#include "runner/upkeep/artifact_check.hpp"
#include "runner/upkeep/content.hpp"
#include "runner/upkeep/recorded_run.hpp"
#include "storage/artifact_file.hpp"

namespace sweep::upkeep {
namespace {

namespace fs = std::filesystem;
using storage::ArtifactId;
using storage::ArtifactKind;

/// A folder that is gone with the object.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = fs::temp_directory_path() / "sweep_recompute_XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw storage_error("create", pattern, errno);
    path_ = pattern;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Evaluations that are there, with the artifacts that they were made from. A plan that can't be
/// read names none.
std::map<ArtifactId, std::vector<ArtifactId>> evaluations_of(const storage::Store& store) {
  std::map<ArtifactId, std::vector<ArtifactId>> found;
  for (const auto& name : planned_runs(store)) {
    RecordedRun run;
    try {
      run = read_run(store.run_folder(name) / "plan.json", name);
    } catch (const InputError&) {
      continue;
    }
    for (const auto& task : run.tasks) {
      if (task.id.kind != ArtifactKind::evaluation || !store.contains(task.id)) continue;
      auto& inputs = found[task.id] = {};
      for (const auto input : task.inputs) inputs.push_back(run.tasks[input].id);
    }
  }
  return found;
}

Json id_json(const ArtifactId& id) {
  return {{"kind", storage::to_string(id.kind)}, {"hash", id.hash}};
}

/// The message that an agent would send (runner/engine/messages.hpp).
std::string task_message(const ArtifactId& id, const std::vector<ArtifactId>& inputs,
                         const Json& spec, const storage::Store& scratch, std::int64_t epoch) {
  Json task = id_json(id);
  task["label"] = concat("recompute ", id.short_name());
  task["spec"] = spec;
  task["locations"] = Json::object();
  task["inputs"] = Json::array();
  for (const auto& input : inputs) task["inputs"].push_back(id_json(input));
  return Json{{"type", "task"},
              {"task", task},
              {"store", scratch.root().string()},
              {"epoch", epoch},
              {"attempt", 1},
              {"memory_level", 0},
              {"log", (scratch.root() / "log").string()},
              {"run", plan::to_json(plan::RunOptions{})}}
      .dump();
}

/// Until the executor has ended the task; what went wrong, or nothing.
std::string wait_for(cluster::ExecutorProcess& executor) {
  for (;;) {
    pollfd socket{executor.descriptor(), POLLIN, 0};
    ::poll(&socket, 1, 1000);
    for (const auto& line : executor.receive()) {
      const Json message = parse_untrusted(line);
      if (!message.is_object()) continue;
      const Json type = message.value("type", Json()), why = message.value("message", Json());
      if (type == "done") return "";
      if (type == "failed") return why.is_string() ? why.get<std::string>() : "it failed";
    }
    if (const auto ended = executor.poll_exit()) return concat("the executor ", ended->text());
    if (executor.silence_s() > plan::RunOptions{}.hang_timeout)
      return "the executor gave no sign of life for too long";
  }
}

std::string recompute(const storage::Store& store, const ArtifactId& id,
                      const std::vector<ArtifactId>& inputs, cluster::ExecutorProcess& executor,
                      const storage::Store& scratch, std::int64_t epoch) {
  for (const auto& input : inputs) {
    const fs::path to = scratch.artifact_path(input);
    create_folders(to.parent_path());
    std::error_code error;
    if (!fs::exists(to)) fs::create_symlink(fs::absolute(store.artifact_path(input)), to, error);
    if (error) throw storage_error("link", to.string(), error.value());
  }
  const auto original = storage::read_artifact(store.artifact_path(id));
  const CheckResult identity = check_identity(id, original.attributes);
  if (identity.fault) return identity.fault->why;
  executor.send(task_message(id, inputs, identity.spec, scratch, epoch));
  if (const std::string problem = wait_for(executor); !problem.empty()) return problem;
  return equal_content(original, storage::read_artifact(scratch.artifact_path(id)))
             ? ""
             : "came out with another content";
}

}  // namespace

std::vector<Recomputed> recompute_evaluations(
    const storage::Store& store, std::size_t count, int threads,
    const std::function<void(const ArtifactId&)>& begins) {
  const auto evaluations = evaluations_of(store);
  std::vector<std::pair<ArtifactId, std::vector<ArtifactId>>> sample;
  std::sample(evaluations.begin(), evaluations.end(), std::back_inserter(sample), count,
              std::mt19937(std::random_device{}()));
  const ScratchFolder folder;
  const storage::Store scratch(folder.path());
  const storage::StoreLock lock(scratch);
  const std::string cores = std::to_string(threads);
  const cluster::ChildOptions child{.program = cluster::program_folder() / "trial_executor",
                                    .arguments = {"work", "--threads", cores, "--device", "auto"},
                                    .environment = {{"OMP_NUM_THREADS", cores}},
                                    .log = folder.path() / "executor.log"};
  std::optional<cluster::ExecutorProcess> executor;
  std::vector<Recomputed> results;
  for (const auto& [id, inputs] : sample) {
    begins(id);
    if (!executor) executor.emplace(child);
    try {
      results.push_back({id, recompute(store, id, inputs, *executor, scratch, lock.epoch())});
    } catch (const Error& error) {
      results.push_back({id, error.what()});
    }
    if (!results.back().problem.empty()) executor.reset();  // it may be dead, or busy
  }
  return results;
}

}  // namespace sweep::upkeep
