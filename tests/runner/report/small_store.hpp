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
    return Json::parse(R"({
      "version": 1,
      "sweep": {"name": "small", "description": "", "file": "small.toml"},
      "table": {
        "title": "A small table",
        "row_keys": ["defence.name", "defence.lambda_n"],
        "columns": [
          {"label": "clean", "attack": null, "adversarial_set": null},
          {"label": "cw", "attack": {"method": "cw", "confidence": 0, "step": 0.01568627450980392},
           "adversarial_set": "set"}],
        "rows": [
          {"label": "NA", "control": false, "published": {"clean": 84.28, "cw": 1.54},
           "keys": {"defence.name": "none", "defence.lambda_n": null},
           "trials": [{"seed": 0, "evaluations": {"clean": "na.clean", "cw": "na.cw"}}]},
          {"label": "control, other", "control": true, "published": {},
           "keys": {"defence.name": "none", "defence.lambda_n": 0.5},
           "trials": [{"seed": 1, "evaluations": {"clean": "c1.clean", "cw": "c1.cw"}},
                      {"seed": 2, "evaluations": {"clean": "c2.clean", "cw": "c2.cw"}}]}]}})");
  }

  void write_plan(const std::string& sweep, const std::string& text) const {
    create_folders(store_.run_folder(sweep));
    write_atomically(store_.run_folder(sweep) / "plan.json", text);
  }

  /// An evaluation that gets the first `correct` of four images right.
  std::filesystem::path write_evaluation(const std::string& hash, std::int64_t correct) const {
    std::vector<std::int64_t> labels{0, 1, 2, 3}, predictions;
    for (const auto label : labels) predictions.push_back(label < correct ? label : label + 1);
    storage::Content content;
    content.arrays["labels"] = storage::Array::own(labels, {4});
    content.arrays["predictions"] = storage::Array::own(predictions, {4});
    return write({storage::ArtifactKind::evaluation, hash}, content);
  }

  /// Mean L2 0.25, mean Linf 0.125, three of four images turned.
  void write_set() const {
    storage::Content content;
    content.arrays["success"] = storage::Array::own<std::uint8_t>({1, 1, 1, 0}, {4});
    content.arrays["l2"] = storage::Array::own<float>({0.5F, 0.25F, 0.25F, 0.0F}, {4});
    content.arrays["linf"] = storage::Array::own<float>({0.25F, 0.125F, 0.125F, 0.0F}, {4});
    write({storage::ArtifactKind::adversarial_set, "set"}, content);
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
