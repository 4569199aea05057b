#include "runner/upkeep/gc.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <system_error>

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

void add_forgotten(const storage::Store& store, const GcOptions& options,
                   std::vector<Garbage>& garbage) {
  const auto names = run_names(store);
  for (const auto& name : options.forget) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw InputError(
          concat("--forget ", name, ": there is no such run", suggestion(name, names)));
    Garbage run{"run", store.run_folder(name), 0};
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(run.path, error))
      if (is_file(entry.path())) run.bytes += size_of(entry.path());
    garbage.push_back(std::move(run));
  }
}

}  // namespace

std::vector<Garbage> find_garbage(const storage::Store& store, const GcOptions& options) {
  const StoreScan scan = scan_store(store);
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
  return garbage;
}

void remove_garbage(const std::vector<Garbage>& garbage) {
  for (const auto& [what, path, bytes] : garbage) {
    std::error_code error;
    if (what == "run") {
      fs::remove_all(path, error);  // removes links themselves, not what they lead to
    } else {
      fs::remove(path, error);
    }
    if (error) throw storage_error("delete", path.string(), error.value());
  }
}

}  // namespace sweep::upkeep
