#include "trainer/datasets/painted_dataset.hpp"

#include "core/hash.hpp"
#include "core/text.hpp"
#include "trainer/datasets/parallel.hpp"

namespace sweep::trainer {

const OptionTable<PaintedOptions>& painted_options() {
  static const OptionTable<PaintedOptions> table{
      {"image_size",
       static_cast<std::int64_t PaintedOptions::*>(&PaintedOptions::image_size),
       {.min = 16, .max = 1024, .unit = "pixels", .doc = "height and width"}},
      {"seed",
       static_cast<std::int64_t PaintedOptions::*>(&PaintedOptions::seed),
       {.min = 0, .doc = "draws every image"}},
      {"train_per_class",
       &PaintedOptions::train_per_class,
       {.min = 1, .max = 100000, .unit = "images", .doc = "training images of each class"}},
      {"test_per_class",
       &PaintedOptions::test_per_class,
       {.min = 1, .max = 100000, .unit = "images", .doc = "test images of each class"}},
  };
  return table;
}

PaintedDataset::PaintedDataset(const PaintedOptions& options, std::vector<std::string> class_names,
                               std::string version)
    : options_(options), class_names_(std::move(class_names)), version_(std::move(version)) {}

DatasetSummary PaintedDataset::inspect() const {
  DatasetSummary summary{.class_names = class_names_, .source_fingerprint = version_};
  summary.train_counts.assign(class_names_.size(), options_.train_per_class);
  summary.test_counts.assign(class_names_.size(), options_.test_per_class);
  return summary;
}

PreparedDataset PaintedDataset::prepare(
    int threads, const std::function<bool(std::int64_t, std::int64_t)>& progress) const {
  PreparedDataset prepared{class_names_, empty_set("train", options_.train_per_class),
                           empty_set("test", options_.test_per_class)};
  const auto classes = static_cast<std::int64_t>(class_names_.size());
  const std::int64_t train = classes * options_.train_per_class;
  for_each_index(
      train + classes * options_.test_per_class, threads,
      [&](std::int64_t i) {
        if (i < train) {
          paint_one("train", i, prepared.train);
        } else {
          paint_one("test", i - train, prepared.test);
        }
      },
      progress);
  return prepared;
}

std::size_t PaintedDataset::bytes_per_image() const {
  return static_cast<std::size_t>(3 * options_.image_size * options_.image_size);
}

ImageSet PaintedDataset::empty_set(const std::string& split, std::int64_t per_class) const {
  ImageSet set{options_.image_size, options_.image_size};
  const auto classes = static_cast<std::int64_t>(class_names_.size());
  for (std::int64_t i = 0; i < per_class * classes; ++i) {
    set.labels.push_back(i % classes);
    set.sample_ids.push_back(
        concat(split, "_", class_names_[static_cast<std::size_t>(i % classes)], "_", i / classes));
  }
  set.images.resize(set.labels.size() * bytes_per_image());
  return set;
}

void PaintedDataset::paint_one(const std::string& split, std::int64_t index, ImageSet& set) const {
  const auto i = static_cast<std::size_t>(index);
  paint(static_cast<std::size_t>(set.labels[i]),
        derive_seed(options_.seed, split, set.labels[i], index), options_.image_size,
        std::span(set.images).subspan(i * bytes_per_image(), bytes_per_image()));
}

}  // namespace sweep::trainer
