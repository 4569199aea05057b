#include "runner/upkeep/doctor.hpp"

#include <algorithm>
#include <set>
#include <system_error>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "core/untrusted_json.hpp"
#include "runner/inspect/status_file.hpp"
#include "runner/upkeep/journal_check.hpp"
#include "runner/upkeep/recorded_run.hpp"
#include "runner/upkeep/store_scan.hpp"

namespace sweep::upkeep {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLittleRoom = std::uintmax_t{1} << 30;
constexpr std::uintmax_t kLargestRequest = std::uintmax_t{64} << 20;  // as runs take them

std::function<void()> deletes(const fs::path& path) {
  return [path] {
    std::error_code error;
    fs::remove(path, error);
    if (error) throw storage_error("delete", path.string(), error.value());
  };
}

/// Of "'PATH' is damaged (WHY); ADVICE" what a finding does not say by itself.
std::string without_place_and_advice(const fs::path& path, std::string text) {
  const std::string place = concat("'", path.string(), "' ");
  if (text.starts_with(place)) text.erase(0, place.size());
  return text.substr(0, text.rfind("; "));
}

class Doctor {
 public:
  explicit Doctor(const storage::Store& store) : store_(store), scan_(scan_store(store)) {}

  std::vector<Finding> examine(bool in_use, int jobs, const OnProgress& on_progress) {
    examine_artifacts(check_artifacts(scan_.artifacts, jobs, on_progress));
    examine_checkpoints(check_checkpoints(scan_.checkpoints, jobs, on_progress));
    if (!in_use)
      for (const auto& file : scan_.temporaries)
        add("half_written", file.path, "was left half written by a process that was killed",
            "is deleted", deletes(file.path));
    for (const auto& plan : unseen_plans(store_)) add_bad_plan(plan.path, plan.why, plan.remedy);
    for (const auto& name : run_names(store_))
      for (const auto& run : {name, name + "/data"}) examine_run(run, in_use);
    guarded(store_.root() / "epoch", [this](const fs::path& path) { examine_epoch(path); });
    examine_room();
    return std::move(findings_);
  }

 private:
  void add(const std::string& code, const fs::path& path, const std::string& message,
           const std::string& remedy, std::function<void()> mend = {}) {
    findings_.push_back({code, path, message, remedy, std::move(mend)});
  }

  /// A file that can't be read must not hide what else is wrong.
  template <class Examine>
  void guarded(const fs::path& path, Examine examine) {
    if (!is_file(path)) return;
    try {
      examine(path);
    } catch (const Error& error) {
      add("unreadable", path, concat("can't be examined (", error.what(), ")"),
          "mend the disk or the file's permissions, or delete the file");
    }
  }

  /// What is damaged is set aside, as a run would do it: it is then made again.
  void add_damaged(const fs::path& path, const Fault& fault) {
    if (fault.code == "unreadable")
      return add(fault.code, path, concat("can't be read (", fault.why, ")"),
                 "mend the disk or the file's permissions");
    add(fault.code, path, concat("can't be used (", fault.why, ")"),
        "is set aside into damaged/; the next run makes it again",
        [store = store_, path, why = fault.why] { store.set_aside(path, why); });
  }

  void examine_artifacts(const std::vector<CheckResult>& results) {
    for (std::size_t i = 0; i < results.size(); ++i)
      if (const auto& fault = results[i].fault) add_damaged(scan_.artifacts[i].path, *fault);
    for (std::size_t i = 0; i < results.size(); ++i)
      if (!results[i].fault) whole_.insert(scan_.artifacts[i].id);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const auto& artifact = scan_.artifacts[i];
      if (artifact.id.kind != storage::ArtifactKind::adversarial_shard || results[i].fault)
        continue;
      try {
        if (whole_.contains(set_of_shard(results[i].spec)))
          add("joined_shard", artifact.path, "is a part of a set that is there", "is deleted",
              deletes(artifact.path));
      } catch (const Json::exception&) {  // its spec is of another version: nobody's shard
        continue;
      }
    }
  }

  void examine_checkpoints(const std::vector<CheckResult>& results) {
    std::set<std::string> finished;
    for (const auto& id : whole_) finished.insert(id.hash);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const auto& checkpoint = scan_.checkpoints[i];
      if (results[i].fault) {
        add_damaged(checkpoint.path, *results[i].fault);
      } else if (finished.contains(checkpoint.hash)) {
        add("finished_checkpoint", checkpoint.path, "is the checkpoint of what is finished",
            "is deleted", deletes(checkpoint.path));
      }
    }
  }

  void examine_run(const std::string& name, bool in_use) {
    const fs::path folder = store_.run_folder(name);
    const fs::path plan = folder / "plan.json";
    if (is_file(plan)) {
      try {
        read_run(plan, name);
      } catch (const Error& error) {
        add_bad_plan(plan, without_place_and_advice(plan, error.what()), plan_remedy(name));
      }
    }
    if (!in_use) {
      guarded(folder / "journal.jsonl", [this](const fs::path& path) { examine_journal(path); });
      guarded(folder / "status.json", [this](const fs::path& path) { examine_status(path); });
    }
    for (const auto& file : entries_of(folder / "control"))
      if (file.extension() == ".json")
        guarded(file, [this](const fs::path& path) { examine_request(path); });
  }

  void add_bad_plan(const fs::path& path, const std::string& why, const std::string& remedy) {
    add("bad_plan", path, concat(why, " (nobody knows what its run needs and has)"), remedy);
  }

  void examine_journal(const fs::path& path) {
    if (const std::string fault = journal_fault(path); !fault.empty())
      add("bad_journal", path, fault, "loses what is no event", [path] { mend_journal(path); });
  }

  /// A run that has died says that it is running.
  void examine_status(const fs::path& path) {
    std::string state;
    try {
      state = inspect::read_status(path).state;
    } catch (const InputError& error) {
      return add("bad_status", path,
                 concat(without_place_and_advice(path, error.what()), " (status can't show it)"),
                 "is deleted; the next run writes it", deletes(path));
    }
    if (state != "running" && state != "draining") return;
    add("died", path,
        "says that a run is under way, but nobody works on the folder (it was killed)",
        "says interrupted; the same sweep_runner command goes on", [path] {
          Json mended = parse_untrusted(read_text(path));
          mended["state"] = "interrupted";
          mended["exit_code"] = static_cast<int>(ExitCode::interrupted);
          write_atomically(path, mended.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
        });
  }

  void examine_request(const fs::path& path) {
    std::error_code error;
    const bool too_large = fs::file_size(path, error) > kLargestRequest;
    if (!too_large && parse_untrusted(read_text(path)).is_object()) return;
    add("bad_request", path, "is no request to a run (it would be ignored)", "is deleted",
        deletes(path));
  }

  /// Processes of older runs must not take themselves for the newest: counting goes on.
  void examine_epoch(const fs::path& path) {
    constexpr std::uintmax_t kLargest = 20;
    std::error_code error;
    const std::string text = fs::file_size(path, error) > kLargest ? "" : read_text(path);
    const bool number = !text.empty() && text.size() < 19 &&
                        text.find_first_not_of("0123456789\n") == std::string::npos &&
                        text.front() != '\n';
    if (number) return;
    std::int64_t last = 0;
    for (const auto& name : run_names(store_))
      for (const auto& run : {name, name + "/data"})
        last = std::max(last, last_epoch(store_.run_folder(run) / "journal.jsonl"));
    add("bad_epoch", path, "does not hold a number (it counts the runs of the folder)",
        concat("holds ", last, ", the last run of which the journals tell"),
        [path, last] { write_atomically(path, concat(last, "\n")); });
  }

  void examine_room() {
    std::error_code error;
    const auto space = fs::space(store_.root(), error);
    if (error || space.available >= kLittleRoom) return;
    add("little_room", store_.root(),
        concat("has only ", bytes_text(space.available), " left (results could not be written)"),
        "make room: sweep_runner gc finds what no sweep needs");
  }

  const storage::Store& store_;
  StoreScan scan_;
  std::set<storage::ArtifactId> whole_;  ///< what is damaged can still be made from its parts
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> diagnose(const storage::Store& store, bool in_use, int jobs,
                              const OnProgress& on_progress) {
  return Doctor(store).examine(in_use, jobs, on_progress);
}

}  // namespace sweep::upkeep
