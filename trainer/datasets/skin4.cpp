#include <filesystem>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "trainer/datasets/dataset.hpp"
#include "trainer/datasets/image_files.hpp"
#include "trainer/datasets/isic_labels.hpp"
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
    const ImageFiles files = select();
    check_image_files(files, labels_.string());
    Sha256 hash;
    hash.update(read_text(labels_));
    if (!groups_.empty()) hash.update(read_text(groups_));
    return summarize(files, hash);
  }

  PreparedDataset prepare(
      int threads, const std::function<bool(std::int64_t, std::int64_t)>& progress) const override {
    return decode_image_files(select(), options_.image_size, threads, progress);
  }

 private:
  ImageFiles select() const {
    check_folders();
    IsicLabels labels = read_isic_labels(labels_, groups_, kClasses);
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
      labels.notes.push_back(
          concat("NV: ", wanted, " of ", nv.size(), " images, drawn by dataset.seed"));
    for (auto& image : subsample(std::move(nv), wanted, options_.seed))
      chosen.push_back(std::move(image));
    return {.class_names = kClasses,
            .split = split_by_group(std::move(chosen), options_.test_fraction, options_.seed),
            .path_of = [this](const LabelledImage& image) { return path_of(image.id); },
            .named_by =
                [rows = std::move(labels.rows)](const LabelledImage& image) {
                  return concat(" (", rows.at(image.id), ")");
                },
            .notes = std::move(labels.notes)};
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

  /// The challenge has JPEG files; PNG is what converters make of them.
  fs::path path_of(const std::string& id) const {
    std::error_code ignored;
    const fs::path png = images_ / (id + ".png");
    return fs::exists(png, ignored) ? png : images_ / (id + ".jpg");
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
