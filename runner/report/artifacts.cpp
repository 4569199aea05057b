#include "runner/report/artifacts.hpp"

#include <algorithm>
#include <cmath>
#include <exception>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/untrusted_json.hpp"
#include "storage/artifact_file.hpp"

namespace sweep::report {
namespace {

using storage::ArtifactId;
using storage::ArtifactKind;
using storage::Content;

constexpr std::int64_t kMostClasses = 1000;  // a confusion matrix of a million numbers

template <class T>
std::span<const T> filled(const Content& content, const std::string& name, std::size_t size) {
  const auto values = content.array(name).values<T>();
  if (values.empty()) throw Error(FailureType::bad_data, concat("its array '", name, "' is empty"));
  if (size != 0 && values.size() != size)
    throw Error(FailureType::bad_data, concat("its array '", name, "' has ", values.size(),
                                              " values for ", size, " images"));
  return values;
}

/// Class numbers below `limit`.
std::vector<std::int32_t> classes(const Content& content, const std::string& name, std::size_t size,
                                  std::int64_t limit) {
  const auto values = filled<std::int64_t>(content, name, size);
  for (const auto value : values)
    if (value < 0 || value >= limit)
      throw Error(FailureType::bad_data,
                  concat("its array '", name, "' has the class ", value, " (of ", limit, ")"));
  return {values.begin(), values.end()};
}

std::vector<float> distances(const Content& content, const std::string& name) {
  const auto values = filled<float>(content, name, 0);
  for (const float value : values)
    if (!std::isfinite(value) || value < 0)
      throw Error(FailureType::bad_data, concat("its array '", name, "' has the distance ", value));
  return {values.begin(), values.end()};
}

/// The second size of the logits, where they are there.
std::int64_t class_count(const Content& content) {
  const auto logits = content.arrays.find("logits");
  if (logits == content.arrays.end()) return kMostClasses;
  const auto& shape = logits->second.shape;
  if (shape.size() != 2 || shape[1] < 1 || shape[1] > kMostClasses)
    throw Error(FailureType::bad_data,
                concat("its array 'logits' is not [N,K] with K up to ", kMostClasses));
  return shape[1];
}

Evaluation evaluation_of(const Content& content) {
  const std::int64_t limit = class_count(content);
  Evaluation evaluation{classes(content, "labels", 0, limit), {}, 0};
  evaluation.predictions = classes(content, "predictions", evaluation.labels.size(), limit);
  const auto largest = [](const auto& values) {
    return *std::max_element(values.begin(), values.end());
  };
  evaluation.classes =
      content.arrays.contains("logits")
          ? static_cast<std::int32_t>(limit)
          : std::max(largest(evaluation.labels), largest(evaluation.predictions)) + 1;
  return evaluation;
}

AdversarialSet set_of(const Content& content) {
  AdversarialSet set{{}, distances(content, "l2"), distances(content, "linf"), 0};
  const std::size_t images = set.l2.size();
  filled<float>(content, "linf", images);
  if (content.arrays.contains("goal_classes"))
    set.goal_classes = classes(content, "goal_classes", images, kMostClasses);
  const auto success = filled<std::uint8_t>(content, "success", images);
  set.successes =
      std::count_if(success.begin(), success.end(), [](auto flag) { return flag != 0; });
  return set;
}

/// What stands in one text attribute as JSON; null where it is not there.
Json json_attribute(const Json& attributes, const std::string& name) {
  const auto text = attributes.find(name);
  if (text == attributes.end()) return {};
  Json json = text->is_string() ? parse_untrusted(text->get<std::string>()) : Json();
  if (!json.is_structured())
    throw Error(FailureType::bad_data, concat("its attribute '", name, "' is not JSON"));
  return json;
}

/// "test/abc.jpg (not a JPEG)"; where the split is not known, without it.
std::string skipped_text(const Json& image) {
  const auto split = image.at("split").get<std::string>();
  return concat(split, split.empty() ? "" : "/", image.at("id").get<std::string>(), " (",
                image.at("reason").get<std::string>(), ")");
}

DatasetCard card_of(const Json& attributes) {
  DatasetCard card;
  try {
    const Json names = json_attribute(attributes, "class_names");
    if (!names.is_null()) names.get_to(card.class_names);
    const Json json = json_attribute(attributes, "card");
    if (json.is_null()) return card;  // an artifact of an older release
    card.name = json.value("dataset", Json()).is_string() ? json.value("dataset", "") : "";
    for (const auto& image : json.value("skipped", Json::array()))
      card.skipped.push_back(skipped_text(image));
  } catch (const Json::exception& error) {
    throw Error(FailureType::bad_data, concat("its card can't be read (", error.what(), ")"));
  }
  return card;
}

}  // namespace

template <class T, class Read>
const T* Artifacts::cached(Cache<T>& cache, const ArtifactId& id, Read read) {
  const auto [entry, is_new] = cache.try_emplace(id.hash);
  if (!is_new) return entry->second ? &*entry->second : nullptr;
  try {
    if (store_.contains(id)) entry->second = read(store_.artifact_path(id));
  } catch (const std::exception& error) {
    problems_[id] = concat(id.short_name(), " can't be used and counts as missing: ", error.what(),
                           "; run the sweep again, which makes it anew");
  }
  return entry->second ? &*entry->second : nullptr;
}

const Evaluation* Artifacts::evaluation(const std::string& hash) {
  return cached(evaluations_, {ArtifactKind::evaluation, hash},
                [](const auto& path) { return evaluation_of(storage::read_artifact(path)); });
}

const AdversarialSet* Artifacts::adversarial_set(const std::string& hash) {
  return cached(adversarial_sets_, {ArtifactKind::adversarial_set, hash},
                [](const auto& path) { return set_of(storage::read_artifact(path)); });
}

const DatasetCard* Artifacts::dataset(const std::string& hash) {
  return cached(datasets_, {ArtifactKind::dataset, hash},
                [](const auto& path) { return card_of(storage::read_artifact(path).attributes); });
}

std::optional<std::string> Artifacts::problem(const ArtifactId& id) const {
  const auto found = problems_.find(id);
  return found == problems_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace sweep::report
