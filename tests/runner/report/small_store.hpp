#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/atomic_file.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "storage/artifact_file.hpp"
#include "storage/store.hpp"

namespace sweep::report {

/// A store in a temporary folder, with one small sweep: two rows, clean images and C&W, four
/// images.
///
///                          clean            cw (set "set")
///   NA          seed 0     "na.clean"       "na.cw"
///   control     seeds 1,2  "c1.clean" ...   "c1.cw" ...
///
/// No artifact is there until a test writes it.
class SmallStore {
 public:
  SmallStore() {
    std::string pattern = std::filesystem::temp_directory_path() / "report_test_XXXXXX";
    store_ = storage::Store(::mkdtemp(pattern.data()));
  }
  SmallStore(const SmallStore&) = delete;
  SmallStore& operator=(const SmallStore&) = delete;
  ~SmallStore() { std::filesystem::remove_all(store_.root()); }

  const storage::Store& store() const { return store_; }
  const std::filesystem::path& root() const { return store_.root(); }

  static Json plan() {
    Json plan = Json::parse(R"({
      "version": 3,
      "sweep": {"name": "small", "description": "", "file": "small.toml"},
      "datasets": ["data"],
      "table": {
        "title": "A small table",
        "row_keys": ["defence.name", "defence.lambda_n"],
        "columns": [
          {"label": "clean", "attack": null, "attacker": "", "pixels": "float32",
           "adversarial_set": null},
          {"label": "cw", "attack": {"method": "cw", "confidence": 0, "step": 0.01568627450980392},
           "attacker": "", "pixels": "float32", "adversarial_set": "set"}],
        "rows": [
          {"label": "NA", "group": "", "control": false, "baseline": true,
           "published": {"clean": 84.28, "cw": 1.54},
           "keys": {"defence.name": "none", "defence.lambda_n": null}, "trials": []},
          {"label": "control, other", "group": "", "control": true, "baseline": false,
           "published": {}, "keys": {"defence.name": "none", "defence.lambda_n": 0.5},
           "trials": []}]}})");
    Json& rows = plan["table"]["rows"];
    rows[0]["trials"] = Json::array({trial("na", 0)});
    rows[1]["trials"] = Json::array({trial("c1", 1), trial("c2", 2)});
    Json attacker = spec(0);
    plan["resolved"] = {
        {"attacker", attacker},
        {"attackers", Json::object()},
        {"attacks", {{"cw_key", plan["table"]["columns"][1]["attack"]}}},
        {"columns",
         Json::array(
             {{{"label", "clean"}, {"attack", ""}, {"attacker", ""}, {"pixels", "float32"}},
              {{"label", "cw"}, {"attack", "cw_key"}, {"attacker", ""}, {"pixels", "float32"}}})}};
    return plan;
  }

  /// A resolved trial, as the planner writes it.
  static Json spec(std::int64_t seed) {
    return {{"dataset", {{"name", "synthetic_lesions"}, {"seed", 0}}},
            {"model", {{"name", "resnet18"}, {"normalize", "half"}}},
            {"defence", {{"name", "none"}}},
            {"training", {{"epochs", 2}, {"milestones", {0.5, 0.75}}, {"seed", seed}}}};
  }

  /// With the evaluations "NAME.clean" and "NAME.cw".
  static Json trial(const std::string& name, std::int64_t seed) {
    return {{"seed", seed},
            {"spec", spec(seed)},
            {"evaluations", {{"clean", name + ".clean"}, {"cw", name + ".cw"}}},
            {"adversarial_sets", {{"cw", "set"}}}};
  }

  void write_plan(const std::string& sweep, const std::string& text) const {
    create_folders(store_.run_folder(sweep));
    write_atomically(store_.run_folder(sweep) / "plan.json", text);
  }

  /// An evaluation that gets the first `correct` of four images right.
  std::filesystem::path write_evaluation(const std::string& hash, std::int64_t correct) const {
    std::vector<std::int64_t> labels{0, 1, 2, 3}, predictions;
    for (const auto label : labels) predictions.push_back(label < correct ? label : label + 1);
    return write_evaluation(hash, labels, predictions);
  }

  std::filesystem::path write_evaluation(const std::string& hash,
                                         const std::vector<std::int64_t>& labels,
                                         const std::vector<std::int64_t>& predictions) const {
    storage::Content content;
    content.arrays["labels"] = one_dimension(labels);
    content.arrays["predictions"] = one_dimension(predictions);
    return write({storage::ArtifactKind::evaluation, hash}, content);
  }

  /// Mean L2 0.25, mean Linf 0.125, three of four images turned.
  void write_set(const std::string& hash = "set") const {
    write_set(hash, {0.5F, 0.25F, 0.25F, 0.0F}, {0, 1, 2, 3});
  }

  /// Linf is half of L2; what was moved counts as a success on the attacker.
  void write_set(const std::string& hash, const std::vector<float>& l2,
                 const std::vector<std::int64_t>& goal_classes) const {
    std::vector<float> linf;
    std::vector<std::uint8_t> success;
    for (const float distance : l2) {
      linf.push_back(distance / 2);
      success.push_back(distance > 0 ? 1 : 0);
    }
    storage::Content content;
    content.arrays["success"] = one_dimension(success);
    content.arrays["l2"] = one_dimension(l2);
    content.arrays["linf"] = one_dimension(linf);
    content.arrays["goal_classes"] = one_dimension(goal_classes);
    write({storage::ArtifactKind::adversarial_set, hash}, content);
  }

  void write_dataset(const Json& card) const {
    storage::Content content;
    content.attributes["class_names"] = R"(["A","B","C","D"])";
    content.attributes["card"] = card.dump();
    write({storage::ArtifactKind::dataset, "data"}, content);
  }

  /// The sweep "small", every artifact there.
  void write_all() const {
    write_plan("small", plan().dump());
    write_set();
    write_evaluation("na.clean", 3);
    write_evaluation("na.cw", 0);
    write_evaluation("c1.clean", 4);
    write_evaluation("c2.clean", 3);
    write_evaluation("c1.cw", 2);
    write_evaluation("c2.cw", 2);
  }

  void remove_evaluation(const std::string& hash) const {
    std::filesystem::remove(store_.artifact_path({storage::ArtifactKind::evaluation, hash}));
  }

 private:
  template <class T>
  static storage::Array one_dimension(const std::vector<T>& values) {
    return storage::Array::own(values, {static_cast<std::int64_t>(values.size())});
  }

  std::filesystem::path write(const storage::ArtifactId& id,
                              const storage::Content& content) const {
    const auto path = store_.artifact_path(id);
    create_folders(path.parent_path());
    storage::write_artifact(path, content);
    return path;
  }

  storage::Store store_{""};
};

}  // namespace sweep::report
