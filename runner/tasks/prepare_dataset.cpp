#include <algorithm>
#include <cstring>
#include <span>

#include "core/hash.hpp"
#include "core/text.hpp"
#include "runner/tasks/task.hpp"
#include "trainer/datasets/dataset.hpp"

namespace sweep::tasks {
namespace {

/// Texts as rows of equal length, padded with zeros: an attribute could not hold thousands of them.
storage::Array text_rows(const std::vector<std::string>& texts) {
  std::size_t width = 1;
  for (const auto& text : texts) width = std::max(width, text.size());
  std::vector<std::uint8_t> bytes(texts.size() * width);
  for (std::size_t i = 0; i < texts.size(); ++i)
    std::memcpy(bytes.data() + i * width, texts[i].data(), texts[i].size());
  return storage::Array::own(std::move(bytes), {static_cast<std::int64_t>(texts.size()),
                                                static_cast<std::int64_t>(width)});
}

/// Names of files and folders need not be UTF-8, JSON has to be.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json class_counts(const trainer::ImageSet& set, std::size_t num_classes) {
  std::vector<std::int64_t> counts(num_classes);
  for (const auto label : set.labels) ++counts[static_cast<std::size_t>(label)];
  return counts;
}

/// What people want to know of the dataset: what it is made of, what was left out, checksums.
Json card_of(const Task& task, const trainer::PreparedDataset& prepared) {
  const std::size_t classes = prepared.class_names.size();
  Json skipped = Json::array();
  for (const auto& image : prepared.skipped)
    skipped.push_back({{"id", image.id},
                       {"split", image.split},
                       {"class", image.class_name},
                       {"reason", image.reason}});
  const auto digest = [](const trainer::ImageSet& set) {
    return sha256(std::as_bytes(std::span(set.images)));
  };
  return {{"dataset", task.spec.at("dataset").at("name")},
          {"class_names", prepared.class_names},
          {"train_counts", class_counts(prepared.train, classes)},
          {"test_counts", class_counts(prepared.test, classes)},
          {"skipped", skipped},
          {"notes", prepared.notes},
          {"images_sha256", {{"train", digest(prepared.train)}, {"test", digest(prepared.test)}}},
          {"source_fingerprint", task.spec.at("source")}};
}

void add_split(storage::Content& content, const std::string& split, trainer::ImageSet set) {
  const auto count = static_cast<std::int64_t>(set.labels.size());
  content.arrays[split + "/images"] =
      storage::Array::own(std::move(set.images), {count, 3, set.height, set.width});
  content.arrays[split + "/labels"] = storage::Array::own(std::move(set.labels), {count});
  content.arrays[split + "/sample_ids"] = text_rows(set.sample_ids);
}

}  // namespace

storage::Content prepare_dataset(const Task& task) {
  Json options = task.spec.at("dataset");
  const std::string name = options.at("name");
  options.erase("name");
  options.update(task.locations);
  const auto dataset = trainer::DatasetRegistry::instance().at(name).make(options);
  std::optional<StopReason> stopped;
  trainer::PreparedDataset prepared;
  try {
    prepared = dataset->prepare(task.threads, [&](std::int64_t done, std::int64_t total) {
      task.channel.progress({.fraction = static_cast<double>(done) /
                                         static_cast<double>(std::max<std::int64_t>(total, 1)),
                             .text = concat(done, "/", total, " images")});
      stopped = task.channel.stop_requested();
      return !stopped;
    });
  } catch (const Error&) {
    if (stopped) throw Stopped{*stopped};
    throw;
  }
  storage::Content content;
  content.attributes["class_names"] = text_of(prepared.class_names);
  content.attributes["card"] = text_of(card_of(task, prepared));
  add_split(content, "train", std::move(prepared.train));
  add_split(content, "test", std::move(prepared.test));
  return content;
}

}  // namespace sweep::tasks
