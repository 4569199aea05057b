#include "runner/upkeep/exchange.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/upkeep/content.hpp"
#include "runner/upkeep/recorded_run.hpp"
#include "runner/upkeep/store_scan.hpp"
#include "storage/artifact_file.hpp"

namespace sweep::upkeep {
namespace {

namespace fs = std::filesystem;

/// The name that marks a file as half written: doctor and the next run remove it.
fs::path temporary_beside(const fs::path& path) {
  return concat(path.string(), ".", ::getpid(), "-0.tmp");
}

void throw_on_error(const std::error_code& error, const char* doing, const fs::path& path) {
  if (error) throw storage_error(doing, path.string(), error.value());
}

void copy_beside(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
  throw_on_error(error, "copy", from);
}

/// The content is on the disk before the name is: no power cut leaves a name with half a file.
void publish(const fs::path& temporary, const fs::path& path) {
  const FileDescriptor file(::open(temporary.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 || ::fsync(file.get()) != 0)
    throw storage_error("sync", temporary.string(), errno);
  std::error_code error;
  fs::rename(temporary, path, error);
  throw_on_error(error, "rename", temporary);
  sync_folder(path.parent_path());
}

void link_or_copy(const fs::path& from, const fs::path& to) {
  create_folders(to.parent_path());
  std::error_code error;
  fs::create_hard_link(from, to, error);
  if (!error) return;
  copy_beside(from, temporary_beside(to));
  publish(temporary_beside(to), to);
}

/// The tasks of the run that the trials need; temporary ones only where nothing was made of them.
std::vector<bool> wanted_tasks(const RecordedRun& run, const std::set<std::size_t>& trials) {
  std::vector<bool> wanted(run.tasks.size(), trials.empty());
  if (trials.empty()) return wanted;
  std::set<std::string> evaluations;
  for (const auto& row : run.record.at("table").at("rows"))
    for (const auto& trial : row.at("trials"))
      if (trials.contains(trial.at("id").get<std::size_t>()))
        for (const auto& [column, hash] : trial.at("evaluations").items())
          evaluations.insert(hash.get<std::string>());
  for (std::size_t i = 0; i < run.tasks.size(); ++i)
    if (evaluations.contains(run.tasks[i].id.hash)) mark_with_inputs(run, i, wanted);
  return wanted;
}

void check_room(const StoreScan& scan, const storage::Store& store) {
  std::uintmax_t bytes = 0;
  for (const auto& artifact : scan.artifacts)
    if (!store.contains(artifact.id)) bytes += artifact.bytes;
  std::error_code error;
  const auto space = fs::space(store.root(), error);
  if (!error && bytes > space.available)
    throw InputError(concat("what is to be imported takes ", bytes_text(bytes), ", and '",
                            store.root().string(), "' has ", bytes_text(space.available),
                            " left; make room (sweep_runner gc) or choose another folder"));
}

/// Copies first and checks the copy: the original may change in between.
void import_artifact(const FoundArtifact& artifact, const storage::Store& store,
                     ImportReport& report) {
  const fs::path to = store.artifact_path(artifact.id), beside = temporary_beside(to);
  store.refuse_links(to.parent_path());
  create_folders(to.parent_path());
  copy_beside(artifact.path, beside);
  FoundArtifact copy = artifact;
  copy.path = beside;
  const auto fault = check_artifacts({copy}, 1, {}).front().fault;
  const auto refuse = [&](const std::string& why) {
    report.refused.push_back(concat(artifact.path.string(), ": ", why));
    std::error_code error;
    fs::remove(beside, error);
  };
  if (fault) return refuse(fault->why);
  if (!store.contains(artifact.id)) {
    ++report.added;
    return publish(beside, to);
  }
  FoundArtifact here = artifact;
  here.path = to;
  if (const auto damage = check_artifacts({here}, 1, {}).front().fault)
    return refuse(concat("the one that is here can't be used (", damage->why,
                         "); sweep_runner doctor --fix, then import again"));
  if (!equal_content(storage::read_artifact(beside), storage::read_artifact(to)))
    return refuse("has the name of one that is here and another content; the one here stays");
  ++report.known;
  std::error_code error;
  fs::remove(beside, error);
}

void import_plans(const storage::Store& from, const storage::Store& store, ImportReport& report) {
  for (const auto& name : planned_runs(from)) {
    const fs::path path = from.run_folder(name) / "plan.json",
                   to = store.run_folder(name) / "plan.json";
    try {
      if (!is_run_name(name)) continue;  // of runs that prepared datasets alone
      read_run(path, name);
      const std::string text = read_text(path);
      store.refuse_links(to.parent_path());
      if (fs::exists(to)) {
        if (read_text(to) != text)
          report.refused.push_back(
              concat(path.string(), ": there is another run of this name here; it stays"));
        continue;
      }
      create_folders(to.parent_path());
      write_atomically(to, text);
      report.runs.push_back(name);
    } catch (const Error& error) {  // one plan that can't be used or read costs none of the rest
      report.refused.push_back(error.what());
    }
  }
}

}  // namespace

ExportReport export_run(const inspect::RunFolder& run, const std::set<std::size_t>& trials,
                        const fs::path& folder) {
  if (fs::exists(folder) && !(is_folder(folder) && fs::is_empty(folder)))
    throw InputError(concat("'", folder.string(),
                            "' is there already (an export goes into a folder of its own); "
                            "delete it, or choose another name"));
  const RecordedRun recorded = read_run(run.plan(), run.name);
  const auto wanted = wanted_tasks(recorded, trials);
  const storage::Store target(folder);
  ExportReport report;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const RecordedTask& task = recorded.tasks[i];
    if (!wanted[i] || (task.temporary && !run.store.contains(task.id))) continue;
    const fs::path from = run.store.artifact_path(task.id);
    if (!is_file(from)) {
      ++report.missing;
      continue;
    }
    link_or_copy(from, target.artifact_path(task.id));
    report.bytes += fs::file_size(from);
    ++report.artifacts;
  }
  create_folders(target.run_folder(run.name));
  write_atomically(target.run_folder(run.name) / "plan.json", read_text(run.plan()));
  return report;
}

ImportReport import_folder(const fs::path& folder, const storage::Store& store, int jobs,
                           const OnProgress& on_progress) {
  const storage::Store from(folder);
  const StoreScan scan = scan_store(from);
  check_room(scan, store);
  ImportReport report;
  // All at once and fast first: what is bad is not copied at all.
  const auto checked = check_artifacts(scan.artifacts, jobs, on_progress);
  for (std::size_t i = 0; i < checked.size(); ++i) {
    if (const auto& fault = checked[i].fault) {
      report.refused.push_back(concat(scan.artifacts[i].path.string(), ": ", fault->why));
    } else {
      import_artifact(scan.artifacts[i], store, report);
    }
  }
  for (const auto& path : scan.unknown)
    report.refused.push_back(
        concat(path.string(), ": no file of a sweep has such a name, or it is a link"));
  import_plans(from, store, report);
  return report;
}

}  // namespace sweep::upkeep
