#include "runner/upkeep/doctor.hpp"

#include <set>
#include <system_error>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "core/untrusted_json.hpp"
#include "runner/upkeep/recorded_run.hpp"
#include "runner/upkeep/store_scan.hpp"
#include "storage/journal.hpp"

namespace sweep::upkeep {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLittleRoom = std::uintmax_t{1} << 30;
constexpr std::uintmax_t kLargestStatus = std::uintmax_t{64} << 20;

std::function<void()> deletes(const fs::path& path) {
  return [path] {
    std::error_code error;
    fs::remove(path, error);
    if (error) throw storage_error("delete", path.string(), error.value());
  };
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
    for (const auto& name : run_names(store_)) examine_run(store_.run_folder(name), name, in_use);
    examine_epoch();
    examine_room();
    return std::move(findings_);
  }

 private:
  void add(const std::string& code, const fs::path& path, const std::string& message,
           const std::string& remedy, std::function<void()> mend = {}) {
    findings_.push_back({code, path, message, remedy, std::move(mend)});
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
    std::set<storage::ArtifactId> there;
    for (const auto& artifact : scan_.artifacts) there.insert(artifact.id);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const auto& artifact = scan_.artifacts[i];
      if (artifact.id.kind != storage::ArtifactKind::adversarial_shard || results[i].fault)
        continue;
      try {
        if (there.contains(set_of_shard(results[i].spec)))
          add("joined_shard", artifact.path, "is a part of a set that is there", "is deleted",
              deletes(artifact.path));
      } catch (const Json::exception&) {  // its spec is of another version: nobody's shard
        continue;
      }
    }
  }

  void examine_checkpoints(const std::vector<CheckResult>& results) {
    std::set<std::string> finished;
    for (const auto& artifact : scan_.artifacts) finished.insert(artifact.id.hash);
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

  void examine_run(const fs::path& folder, const std::string& name, bool in_use) {
    if (const auto plan = folder / "plan.json"; is_file(plan)) {
      try {
        read_run(plan, name);
      } catch (const Error& error) {
        add("bad_plan", plan, error.what(), "run the sweep again, which writes it anew");
      }
    }
    if (!in_use) {
      examine_journal(folder / "journal.jsonl");
      examine_status(folder / "status.json");
    }
    for (const auto& request : entries_of(folder / "control"))
      if (is_file(request) && request.extension() == ".json" &&
          !parse_untrusted(read_text(request)).is_object())
        add("bad_request", request, "is no request to a run", "is deleted", deletes(request));
  }

  void examine_journal(const fs::path& path) {
    if (!is_file(path)) return;
    const std::string text = read_text(path);
    if (text.empty() || text.back() == '\n') return;
    add("torn_journal", path, "ends in half a line (its writer was killed)", "loses the half line",
        [path] { storage::Journal journal(path); });
  }

  /// A run that has died says that it is running.
  void examine_status(const fs::path& path) {
    if (!is_file(path)) return;
    const Json status = parse_untrusted(read_bounded(path, kLargestStatus));
    if (!status.is_object())
      return add("bad_status", path, "is damaged", "is deleted; the next run writes it",
                 deletes(path));
    const Json state = status.value("state", Json());
    if (state != "running" && state != "draining") return;
    add("died", path,
        "says that a run is under way, but nobody works on the folder (it was killed)",
        "says interrupted; the same sweep_runner command goes on", [path, status] {
          Json mended = status;
          mended["state"] = "interrupted";
          mended["exit_code"] = static_cast<int>(ExitCode::interrupted);
          write_atomically(path, mended.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
        });
  }

  void examine_epoch() {
    const fs::path path = store_.root() / "epoch";
    if (!is_file(path)) return;
    const std::string text = read_text(path);
    const bool number = !text.empty() && text.size() < 19 &&
                        text.find_first_not_of("0123456789\n") == std::string::npos &&
                        text.front() != '\n';
    if (number) return;
    add("bad_epoch", path, "does not hold a number (it counts the runs of the folder)",
        "is deleted; counting begins anew", deletes(path));
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
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> diagnose(const storage::Store& store, bool in_use, int jobs,
                              const OnProgress& on_progress) {
  return Doctor(store).examine(in_use, jobs, on_progress);
}

}  // namespace sweep::upkeep
