#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/store.hpp"

namespace sweep::report {

/// What a model said to every image, clean or adversarial.
struct Evaluation {
  std::vector<std::int32_t> labels, predictions;  ///< in [0, classes)
  std::int32_t classes = 0;
};

/// What an attack did to every image and to the model that it attacked.
struct AdversarialSet {
  std::vector<std::int32_t> goal_classes;  ///< to be left, or to be reached; empty in old sets
  std::vector<float> l2, linf;             ///< distance to the clean image, pixels in [0,1]
  std::int64_t successes = 0;              ///< images that reached the goal on the attacked model
};

/// What a dataset says about itself.
struct DatasetCard {
  std::string name;
  std::vector<std::string> class_names;
  std::vector<std::string> skipped;  ///< "test/abc.jpg (not a JPEG)", in the order of the card
};

/// Reads each artifact once, checks it and keeps what tables need of it. Only reads: what is
/// damaged stays where it is and counts as missing.
class Artifacts {
 public:
  explicit Artifacts(storage::Store store) : store_(std::move(store)) {}

  /// Null when it is missing or can't be used. The object lives as long as this one.
  const Evaluation* evaluation(const std::string& hash);
  const AdversarialSet* adversarial_set(const std::string& hash);
  const DatasetCard* dataset(const std::string& hash);

  /// Why the artifact can't be used; nothing when it can, or when it is not there.
  std::optional<std::string> problem(const storage::ArtifactId& id) const;

 private:
  template <class T>
  using Cache = std::map<std::string, std::optional<T>>;

  template <class T, class Read>
  const T* cached(Cache<T>& cache, const storage::ArtifactId& id, Read read);

  storage::Store store_;
  Cache<Evaluation> evaluations_;
  Cache<AdversarialSet> adversarial_sets_;
  Cache<DatasetCard> datasets_;
  std::map<storage::ArtifactId, std::string> problems_;
};

}  // namespace sweep::report
