#include "runner/upkeep/gc.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <system_error>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/upkeep/recorded_run.hpp"
#include "runner/upkeep/store_scan.hpp"

namespace sweep::upkeep {
namespace {

namespace fs = std::filesystem;

bool is_forgotten(const std::string& run, const GcOptions& options) {
  // "table1/data" belongs to table1.
  const std::string name = run.substr(0, run.find('/'));
  return std::find(options.forget.begin(), options.forget.end(), name) != options.forget.end();
}

/// What is not known to be needed would be taken for garbage. @throws InputError
void check_plans(const storage::Store& store, const GcOptions& options, bool any_artifacts) {
  for (const auto& plan : unseen_plans(store))
    if (plan.run.empty() || !is_forgotten(plan.run, options))
      throw InputError(concat("'", plan.path.string(), "' ", plan.why,
                              " (what only its run needs would be taken for garbage); ",
                              plan.remedy));
  if (any_artifacts && options.forget.empty() && planned_runs(store).empty())
    throw InputError(concat("'", store.root().string(),
                            "' has no run that says what it needs (every artifact would be taken "
                            "for garbage); run the sweep again, or delete the whole folder"));
}

/// What the plans name. @throws InputError
std::set<storage::ArtifactId> needed_artifacts(const storage::Store& store,
                                               const GcOptions& options) {
  std::set<storage::ArtifactId> needed;
  for (const auto& name : planned_runs(store)) {
    if (is_forgotten(name, options)) continue;
    for (const auto& task : read_run(store.run_folder(name) / "plan.json", name).tasks)
      needed.insert(task.id);
  }
  return needed;
}

void add_checkpoints(const storage::Store& store, const StoreScan& scan,
                     const std::set<storage::ArtifactId>& needed, std::vector<Garbage>& garbage) {
  std::set<std::string> unfinished;
  for (const auto& id : needed)
    if (!store.contains(id)) unfinished.insert(id.hash);
  for (const auto& checkpoint : scan.checkpoints)
    if (!unfinished.contains(checkpoint.hash))
      garbage.push_back({"checkpoint", checkpoint.path, checkpoint.bytes});
}

std::uintmax_t size_of(const fs::path& path) {
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  return error ? 0 : bytes;
}

double age_in_days(const fs::path& path) {
  std::error_code error;
  const auto written = fs::last_write_time(path, error);
  if (error) return 0;
  return std::chrono::duration<double>(fs::file_time_type::clock::now() - written).count() / 86400;
}

void add_logs(const storage::Store& store, double days, std::vector<Garbage>& garbage) {
  for (const auto& run : run_names(store))
    for (const auto& path : entries_of(store.run_folder(run) / "logs"))
      if (is_file(path) && path.extension() == ".log" && age_in_days(path) > days)
        garbage.push_back({"log", path, size_of(path)});
}

/// Whether a file of a run's folder is one that a run writes (docs/run_folder.md).
/// @param path  relative to the folder of the run
bool is_of_run(const fs::path& path) {
  // data/ is the folder of a run that prepared datasets.
  if (*path.begin() == "data") return is_of_run(path.lexically_relative("data"));
  const std::string name = path.filename(), extension = path.extension();
  const fs::path folder = path.parent_path();
  if (is_temporary(path)) return true;
  if (folder.empty())
    return name == "plan.json" || name == "journal.jsonl" || name == "status.json" ||
           name == "lock";
  if (folder == "logs") return extension == ".log";
  if (folder == "control") return extension == ".json";
  return *folder.begin() == "tensorboard" && name.starts_with("events.out.tfevents.");
}

void add_files_of_run(const fs::path& run, const fs::path& folder, std::vector<Garbage>& garbage) {
  for (const auto& path : entries_of(folder)) {
    if (is_folder(path)) add_files_of_run(run, path, garbage);
    if (is_file(path) && is_of_run(path.lexically_relative(run)))
      garbage.push_back({"run", path, size_of(path)});
  }
}

void add_forgotten(const storage::Store& store, const GcOptions& options,
                   std::vector<Garbage>& garbage) {
  const auto names = run_names(store);
  for (const auto& name : options.forget) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw InputError(
          concat("--forget ", name, ": there is no such run", suggestion(name, names)));
    add_files_of_run(store.run_folder(name), store.run_folder(name), garbage);
  }
}

/// A log of a forgotten run is old, and one of its files, too.
std::vector<Garbage> each_once(std::vector<Garbage> garbage) {
  std::set<fs::path> seen;
  std::erase_if(garbage, [&](const Garbage& file) { return !seen.insert(file.path).second; });
  return garbage;
}

/// The folder and those in it, where nothing is left.
void remove_empty(const fs::path& folder) {
  for (const auto& path : entries_of(folder))
    if (is_folder(path)) remove_empty(path);
  std::error_code not_empty;  // what is in it is not ours
  fs::remove(folder, not_empty);
}

}  // namespace

std::vector<Garbage> find_garbage(const storage::Store& store, const GcOptions& options) {
  const StoreScan scan = scan_store(store);
  check_plans(store, options, !scan.artifacts.empty());
  const auto needed = needed_artifacts(store, options);
  std::vector<Garbage> garbage;
  for (const auto& artifact : scan.artifacts)
    if (!needed.contains(artifact.id))
      garbage.push_back(
          {std::string(storage::to_string(artifact.id.kind)), artifact.path, artifact.bytes});
  add_checkpoints(store, scan, needed, garbage);
  for (const auto& file : scan.damaged) garbage.push_back({"damaged", file.path, file.bytes});
  for (const auto& file : scan.temporaries) garbage.push_back({"temporary", file.path, file.bytes});
  if (options.logs_older_than) add_logs(store, *options.logs_older_than, garbage);
  add_forgotten(store, options, garbage);
  return each_once(std::move(garbage));
}

void remove_garbage(const storage::Store& store, const GcOptions& options,
                    const std::vector<Garbage>& garbage) {
  for (const auto& [what, path, bytes] : garbage) {
    std::error_code error;
    fs::remove(path, error);
    if (error) throw storage_error("delete", path.string(), error.value());
  }
  for (const auto& run : options.forget) remove_empty(store.run_folder(run));
}

}  // namespace sweep::upkeep
