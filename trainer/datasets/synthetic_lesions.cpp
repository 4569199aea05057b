#include "core/hash.hpp"
#include "core/text.hpp"
#include "trainer/datasets/dataset.hpp"
#include "trainer/datasets/lesion_painter.hpp"
#include "trainer/datasets/parallel.hpp"

namespace sweep::trainer {
namespace {

struct SyntheticLesionsOptions : DatasetOptions {
  SyntheticLesionsOptions() { image_size = 64; }
  std::int64_t train_per_class = 40;
  std::int64_t test_per_class = 16;
};

const OptionTable<SyntheticLesionsOptions> table{
    {"image_size",
     static_cast<std::int64_t SyntheticLesionsOptions::*>(&SyntheticLesionsOptions::image_size),
     {.min = 16, .max = 1024, .unit = "pixels", .doc = "height and width"}},
    {"seed",
     static_cast<std::int64_t SyntheticLesionsOptions::*>(&SyntheticLesionsOptions::seed),
     {.min = 0, .doc = "draws every image"}},
    {"train_per_class",
     &SyntheticLesionsOptions::train_per_class,
     {.min = 1, .max = 100000, .unit = "images", .doc = "training images of each class"}},
    {"test_per_class",
     &SyntheticLesionsOptions::test_per_class,
     {.min = 1, .max = 100000, .unit = "images", .doc = "test images of each class"}},
};

struct LesionClass {
  const char* name;
  LesionRecipe recipe;
};

/// The classes of SKIN4, caricatured. They differ in colour, border, texture and shape; the
/// deviations make them overlap, as real ones do. Colours are close and the grain is faint on
/// purpose: what tells most lesions apart is within the reach of a perturbation of 8/255, so a
/// classifier is quickly trained and, without a defence, easily fooled.
const std::vector<LesionClass>& lesion_classes() {
  static const std::vector<LesionClass> classes{
      {"MEL",
       {.colour = {0.44, 0.285, 0.23},
        .colour_deviation = 0.015,
        .radius = {0.31, 0.05},
        .irregularity = {0.30, 0.08},
        .softness = {0.14, 0.05},
        .network = {0.35, 0.20},
        .blotches = {0.55, 0.25},
        .milia = {0.05, 0.10},
        .vessels = {0.10, 0.15},
        .asymmetry = {0.45, 0.20},
        .grain = {0, 0.02, 0.11}}},
      {"NV",
       {.colour = {0.52, 0.325, 0.235},
        .colour_deviation = 0.015,
        .radius = {0.23, 0.05},
        .irregularity = {0.10, 0.06},
        .softness = {0.14, 0.05},
        .network = {0.60, 0.20},
        .blotches = {0.05, 0.15},
        .milia = {0.05, 0.10},
        .vessels = {0.05, 0.10},
        .asymmetry = {0.10, 0.15},
        .grain = {0.06, 0.06, 0.06}}},
      {"BCC",
       {.colour = {0.635, 0.40, 0.365},
        .colour_deviation = 0.015,
        .radius = {0.26, 0.05},
        .irregularity = {0.18, 0.07},
        .softness = {0.24, 0.06},
        .network = {0.05, 0.10},
        .blotches = {0.40, 0.25},
        .milia = {0.10, 0.15},
        .vessels = {0.60, 0.20},
        .asymmetry = {0.15, 0.15},
        .grain = {0.10, -0.05, -0.05}}},
      {"BKL",
       {.colour = {0.585, 0.41, 0.265},
        .colour_deviation = 0.015,
        .radius = {0.28, 0.05},
        .irregularity = {0.16, 0.07},
        .softness = {0.05, 0.03},
        .network = {0.20, 0.20},
        .blotches = {0.08, 0.15},
        .milia = {0.60, 0.20},
        .vessels = {0.10, 0.15},
        .asymmetry = {0.15, 0.15},
        .grain = {0.07, 0.05, -0.08}}},
  };
  return classes;
}

/// Dermoscopy-like images that a procedure draws: nothing to download, the same bytes everywhere.
/// An image depends on the seed, its split, its class and its number alone.
class SyntheticLesions final : public Dataset {
 public:
  explicit SyntheticLesions(const SyntheticLesionsOptions& options) : options_(options) {}

  DatasetSummary inspect() const override {
    DatasetSummary summary{.class_names = names(), .source_fingerprint = "painted, version 2"};
    summary.train_counts.assign(summary.class_names.size(), options_.train_per_class);
    summary.test_counts.assign(summary.class_names.size(), options_.test_per_class);
    return summary;
  }

  PreparedDataset prepare(
      int threads, const std::function<bool(std::int64_t, std::int64_t)>& progress) const override {
    PreparedDataset prepared{names(), empty_set("train", options_.train_per_class),
                             empty_set("test", options_.test_per_class)};
    const auto classes = static_cast<std::int64_t>(lesion_classes().size());
    const std::int64_t train = classes * options_.train_per_class;
    for_each_index(
        train + classes * options_.test_per_class, threads,
        [&](std::int64_t i) {
          if (i < train) {
            paint("train", i, prepared.train);
          } else {
            paint("test", i - train, prepared.test);
          }
        },
        progress);
    return prepared;
  }

 private:
  static std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const auto& lesion : lesion_classes()) names.emplace_back(lesion.name);
    return names;
  }

  std::size_t bytes_per_image() const {
    return static_cast<std::size_t>(3 * options_.image_size * options_.image_size);
  }

  /// Classes take turns.
  ImageSet empty_set(const std::string& split, std::int64_t per_class) const {
    ImageSet set{options_.image_size, options_.image_size};
    const auto classes = static_cast<std::int64_t>(lesion_classes().size());
    for (std::int64_t i = 0; i < per_class * classes; ++i) {
      set.labels.push_back(i % classes);
      set.sample_ids.push_back(
          concat(split, "_", names()[static_cast<std::size_t>(i % classes)], "_", i / classes));
    }
    set.images.resize(set.labels.size() * bytes_per_image());
    return set;
  }

  void paint(const std::string& split, std::int64_t index, ImageSet& set) const {
    const auto i = static_cast<std::size_t>(index);
    const auto label = static_cast<std::size_t>(set.labels[i]);
    paint_lesion(lesion_classes()[label].recipe,
                 derive_seed(options_.seed, split, set.labels[i], index), options_.image_size,
                 std::span(set.images).subspan(i * bytes_per_image(), bytes_per_image()));
  }

  SyntheticLesionsOptions options_;
};

SWEEP_REGISTER_DATASET("synthetic_lesions", table, SyntheticLesions,
                       "dermoscopy-like images drawn by a procedure; nothing to download");

}  // namespace
}  // namespace sweep::trainer
