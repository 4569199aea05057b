#include <algorithm>
#include <filesystem>
#include <map>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "trainer/datasets/dataset.hpp"
#include "trainer/datasets/isic_labels.hpp"
#include "trainer/datasets/jpeg.hpp"
#include "trainer/datasets/parallel.hpp"
#include "trainer/datasets/resize.hpp"
#include "trainer/datasets/split.hpp"

namespace sweep::trainer {
namespace {

namespace fs = std::filesystem;

struct Skin4Options : DatasetOptions {
  std::string root;
  std::int64_t nv_images = 1500;
  double test_fraction = 1.0 / 6;
};

const OptionTable<Skin4Options> table{
    {"root",
     &Skin4Options::root,
     {.doc = "folder with ISIC2018_Task3_Training_Input and ISIC2018_Task3_Training_GroundTruth",
      .location = true,
      .required = true}},
    {"image_size",
     static_cast<std::int64_t Skin4Options::*>(&Skin4Options::image_size),
     {.min = 16, .max = 1024, .unit = "pixels", .doc = "height and width after scaling"}},
    {"seed",
     static_cast<std::int64_t Skin4Options::*>(&Skin4Options::seed),
     {.min = 0, .doc = "draws the NV images and the split"}},
    {"nv_images",
     &Skin4Options::nv_images,
     {.min = 0, .doc = "images of the class NV that are used; 0: all"}},
    {"test_fraction",
     &Skin4Options::test_fraction,
     {.min = 0.01, .max = 0.9, .doc = "share of each class that is tested on, not trained on"}},
};

const std::vector<std::string> kClasses{"MEL", "NV", "BCC", "BKL"};
constexpr std::int64_t kNv = 1;
constexpr std::size_t kProblemsShown = 5;

/// SKIN4 of the paper: the ISIC 2018 Task 3 training images of four classes (Tschandl, Rosendahl,
/// Kittler, "The HAM10000 dataset", Scientific Data 5:180161, 2018).
class Skin4 final : public Dataset {
 public:
  explicit Skin4(const Skin4Options& options)
      : options_(options),
        labels_(fs::path(options.root) / "ISIC2018_Task3_Training_GroundTruth" /
                "ISIC2018_Task3_Training_GroundTruth.csv"),
        groups_(find_groups(options.root, labels_.parent_path())),
        images_(fs::path(options.root) / "ISIC2018_Task3_Training_Input") {}

  DatasetSummary inspect() const override {
    const Selection selection = select();
    check_images(selection);
    DatasetSummary summary{.class_names = kClasses,
                           .train_counts = counts(selection.split.train),
                           .test_counts = counts(selection.split.test),
                           .source_fingerprint = fingerprint(selection),
                           .notes = selection.notes};
    return summary;
  }

  PreparedDataset prepare(
      int threads, const std::function<bool(std::int64_t, std::int64_t)>& progress) const override {
    const Split split = select().split;
    PreparedDataset prepared{kClasses, empty_set(split.train), empty_set(split.test)};
    const auto train = static_cast<std::int64_t>(split.train.size());
    const auto total = train + static_cast<std::int64_t>(split.test.size());
    for_each_index(
        total, threads,
        [&](std::int64_t i) {
          if (i < train) {
            decode_into(split.train, i, prepared.train);
          } else {
            decode_into(split.test, i - train, prepared.test);
          }
        },
        progress);
    return prepared;
  }

 private:
  struct Selection {
    Split split;
    std::map<std::string, std::string> rows;  ///< image -> "file.csv:12"
    std::vector<std::string> notes;
  };

  Selection select() const {
    check_folders();
    IsicLabels labels = read_isic_labels(labels_, groups_, kClasses);
    Selection selection{{}, std::move(labels.rows), std::move(labels.notes)};
    std::vector<LabelledImage> nv, chosen;
    for (auto& image : labels.images)
      (image.label == kNv ? nv : chosen).push_back(std::move(image));
    const auto wanted =
        options_.nv_images == 0 ? nv.size() : static_cast<std::size_t>(options_.nv_images);
    if (wanted > nv.size())
      throw InputError(concat("dataset.nv_images = ", wanted, " but '", labels_.string(),
                              "' has only ", nv.size(), " images of the class NV; give at most ",
                              nv.size(), ", or 0 for all"));
    if (wanted < nv.size())
      selection.notes.push_back(
          concat("NV: ", wanted, " of ", nv.size(), " images, drawn by dataset.seed"));
    for (auto& image : subsample(std::move(nv), wanted, options_.seed))
      chosen.push_back(std::move(image));
    selection.split = split_by_group(std::move(chosen), options_.test_fraction, options_.seed);
    check_not_empty(selection.split);
    return selection;
  }

  void check_folders() const {
    std::error_code ignored;  // a folder that can't be looked at is as good as none
    if (!fs::is_directory(options_.root, ignored))
      throw InputError(concat("dataset.root = '", options_.root,
                              "' is no folder (skin4 reads the ISIC 2018 Task 3 images from it); "
                              "give the folder with --set dataset.root=DIR"));
    if (!fs::is_directory(images_, ignored))
      throw InputError(concat("'", images_.string(),
                              "' is no folder (skin4 reads its images from it); unpack "
                              "ISIC2018_Task3_Training_Input.zip in dataset.root"));
  }

  void check_not_empty(const Split& split) const {
    for (const auto& [name, images] :
         {std::pair("train", &split.train), std::pair("test", &split.test)}) {
      const auto per_class = counts(*images);
      for (std::size_t k = 0; k < kClasses.size(); ++k)
        if (per_class[k] == 0)
          throw InputError(concat(
              "'", labels_.string(), "' leaves no ", name, " images of the class ", kClasses[k],
              " (every class needs some); add images or change dataset.test_fraction"));
    }
  }

  void check_images(const Selection& selection) const {
    std::vector<std::string> problems;
    for (const auto* side : {&selection.split.train, &selection.split.test})
      for (const auto& image : *side) {
        const fs::path path = path_of(image.id);
        std::error_code ignored;
        const std::string problem =
            fs::is_regular_file(path, ignored) ? quick_jpeg_problem(path) : "is missing";
        if (!problem.empty())
          problems.push_back(concat("\n  '", path.string(), "' ", problem, " (",
                                    selection.rows.at(image.id), ")"));
      }
    if (problems.empty()) return;
    const std::size_t count = problems.size();
    problems.resize(std::min(count, kProblemsShown));
    throw InputError(
        concat(count, count == 1 ? " image" : " images",
               " of the dataset can't be used; replace the files or take their "
               "rows out of the labels:",
               join(problems, ""),
               count > kProblemsShown ? concat("\n  and ", count - kProblemsShown, " more") : ""));
  }

  /// Of the labels, the groups, and the names and sizes of the images: reading every image whole at
  /// every start would take too long.
  std::string fingerprint(const Selection& selection) const {
    Sha256 hash;
    hash.update(read_text(labels_));
    if (!groups_.empty()) hash.update(read_text(groups_));
    for (const auto* side : {&selection.split.train, &selection.split.test})
      for (const auto& image : *side)
        hash.update(concat(image.id, " ", fs::file_size(path_of(image.id)), "\n"));
    return hash.finish();
  }

  static std::vector<std::int64_t> counts(const std::vector<LabelledImage>& images) {
    std::vector<std::int64_t> counts(kClasses.size());
    for (const auto& image : images) ++counts[static_cast<std::size_t>(image.label)];
    return counts;
  }

  fs::path path_of(const std::string& id) const { return images_ / (id + ".jpg"); }

  ImageSet empty_set(const std::vector<LabelledImage>& images) const {
    ImageSet set{options_.image_size, options_.image_size};
    set.images.resize(images.size() * pixels_per_image());
    for (const auto& image : images) {
      set.labels.push_back(image.label);
      set.sample_ids.push_back(image.id);
    }
    return set;
  }

  std::size_t pixels_per_image() const {
    return static_cast<std::size_t>(3 * options_.image_size * options_.image_size);
  }

  void decode_into(const std::vector<LabelledImage>& images, std::int64_t index,
                   ImageSet& set) const {
    const auto i = static_cast<std::size_t>(index);
    resize_to_planes(decode_jpeg(path_of(images[i].id)), options_.image_size,
                     std::span(set.images).subspan(i * pixels_per_image(), pixels_per_image()));
  }

  /// The challenge offers the grouping file by itself: people put it beside the labels or in the
  /// root. Empty without it.
  static fs::path find_groups(const fs::path& root, const fs::path& beside_labels) {
    std::error_code ignored;
    for (const auto& folder : {beside_labels, root}) {
      const fs::path file = folder / "ISIC2018_Task3_Training_LesionGroupings.csv";
      if (fs::exists(file, ignored)) return file;
    }
    return {};
  }

  Skin4Options options_;
  fs::path labels_, groups_, images_;  ///< groups_ is empty where there is no such file
};

SWEEP_REGISTER_DATASET("skin4", table, Skin4,
                       "ISIC 2018 Task 3 dermoscopy: MEL, NV, BCC, BKL (the paper's SKIN4)");

}  // namespace
}  // namespace sweep::trainer
