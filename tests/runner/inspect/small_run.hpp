#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "core/atomic_file.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "runner/inspect/run_view.hpp"
#include "storage/artifact_file.hpp"
#include "storage/journal.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::test_support {

/// The folder of a run, written by hand: three trials that share a dataset, an attacker (which is
/// the third trial's model) and an adversarial set in two parts.
class SmallRun {
 public:
  enum Task {
    dataset,
    attacker,
    shard_a,
    shard_b,
    set,
    model_0,
    clean_0,
    attacked_0,
    model_1,
    clean_1,
    attacked_1,
    clean_2,
    attacked_2,
  };

  explicit SmallRun(const Json& plan = small_plan()) {
    create_folders(path() / "logs");
    write_plan(plan.dump());
  }

  std::filesystem::path out() const { return folder_ / "out"; }
  std::filesystem::path path() const { return out() / "runs" / "small"; }
  inspect::RunView view() const { return inspect::RunView(inspect::find_run({path().string()})); }

  void write_plan(const std::string& text) const { write(path() / "plan.json", text); }
  void write_status(const Json& status) const { write(path() / "status.json", status.dump()); }
  /// A status.json that an active run has written this moment.
  void write_living_status(Json more = Json::object()) const {
    more.update({{"state", "running"}, {"epoch", 1}, {"time", storage::utc_time()}});
    write_status(more);
  }
  void write_log(const std::string& name, const std::string& text) const {
    write(path() / "logs" / name, text);
  }

  /// Adds a line to the journal; "time" is now where the event has none.
  void add(Json event) const {
    if (!event.contains("time")) event["time"] = storage::utc_time();
    add_line(event.dump());
  }
  void add_line(const std::string& line) const {
    std::ofstream(path() / "journal.jsonl", std::ios::app) << line << '\n';
  }
  void add_run(int epoch = 1) const { add({{"event", "run"}, {"epoch", epoch}}); }
  /// An event about a task.
  void add(const std::string& event, Task task, Json more = Json::object()) const {
    more["event"] = event;
    more["artifact"] = hash(task);
    add(std::move(more));
  }

  /// Its artifact is there, with nothing in it.
  void make(Task task) const { write(artifact(task), ""); }
  void make(std::initializer_list<Task> tasks) const {
    for (const auto task : tasks) make(task);
  }
  void make(Task task, const storage::Content& content) const {
    create_folders(artifact(task).parent_path());
    storage::write_artifact(artifact(task), content);
  }
  std::filesystem::path artifact(Task task) const {
    const Json entry = small_plan().at("tasks").at(task);
    return out() / "artifacts" / entry.at("kind").get<std::string>() / (hash(task) + ".h5");
  }

  static std::string hash(Task task) {
    static const std::vector<std::string> hashes{
        "da7a", "a77acce4", "54a4da", "54a4db", "ad5e7", "beef0000", "e0c",
        "e0a",  "beef1111", "e1c",    "e1a",    "e2c",   "e2a"};
    return hashes.at(task);
  }

  static Json small_plan() {
    Json tasks = Json::array();
    const auto add_task = [&](const char* kind, const char* label, std::vector<int> inputs) {
      tasks.push_back({{"kind", kind},
                       {"hash", hash(static_cast<Task>(tasks.size()))},
                       {"label", label},
                       {"inputs", inputs},
                       {"cost", 1.5},
                       {"devices", 1},
                       {"temporary", std::string(kind) == "adversarial_shard"}});
    };
    add_task("dataset", "prepare lesions", {});
    add_task("model", "train none seed=0", {dataset});
    add_task("adversarial_shard", "attack fgsm part 1/2", {attacker, dataset});
    add_task("adversarial_shard", "attack fgsm part 2/2", {attacker, dataset});
    add_task("adversarial_set", "join attack fgsm", {attacker, dataset, shard_a, shard_b});
    add_task("model", "train defended seed=0", {dataset});
    add_task("evaluation", "evaluate defended seed=0 on clean", {model_0, dataset});
    add_task("evaluation", "evaluate defended seed=0 on fgsm", {model_0, dataset, set});
    add_task("model", "train defended seed=1", {dataset});
    add_task("evaluation", "evaluate defended seed=1 on clean", {model_1, dataset});
    add_task("evaluation", "evaluate defended seed=1 on fgsm", {model_1, dataset, set});
    add_task("evaluation", "evaluate none seed=0 on clean", {attacker, dataset});
    add_task("evaluation", "evaluate none seed=0 on fgsm", {attacker, dataset, set});
    return {
        {"version", 3},
        {"sweep", {{"name", "small"}, {"description", ""}, {"file", "small.toml"}}},
        {"tasks", tasks},
        {"table",
         {{"title", "A small run"},
          {"columns", {{{"label", "clean"}}, {{"label", "fgsm"}}}},
          {"rows",
           {{{"label", "Defended"},
             {"trials",
              {trial(0, "defended seed=0", 0.1, clean_0, attacked_0),
               trial(1, "defended seed=1", 10, clean_1, attacked_1)}}},
            {{"label", "NA"}, {"trials", {trial(2, "none seed=0", 0, clean_2, attacked_2)}}}}}}}};
  }

 private:
  static Json trial(int id, const char* label, double lambda, Task clean, Task attacked) {
    return {{"id", id},
            {"label", label},
            {"spec", {{"defence", {{"lambda_n", lambda}}}, {"training", {{"epochs", 2 + id}}}}},
            {"evaluations", {{"clean", hash(clean)}, {"fgsm", hash(attacked)}}},
            {"adversarial_sets", {{"fgsm", hash(set)}}}};
  }
  static void write(const std::filesystem::path& path, const std::string& text) {
    create_folders(path.parent_path());
    write_atomically(path, text);
  }

  TemporaryFolder folder_;
};

}  // namespace sweep::test_support
