#include <filesystem>

#include "core/error.hpp"
#include "core/text.hpp"
#include "trainer/datasets/image_file_dataset.hpp"
#include "trainer/datasets/image_listing.hpp"
#include "trainer/datasets/isic_labels.hpp"

namespace sweep::trainer {
namespace {

namespace fs = std::filesystem;

struct Skin4Options : ImageFileOptions {
  std::int64_t nv_images = 1500;
};

const OptionTable<Skin4Options> kSkin4Options = with_image_file_options<Skin4Options>(
    {.root = "folder with ISIC2018_Task3_Training_Input and ISIC2018_Task3_Training_GroundTruth",
     .seed = "draws the NV images and the split",
     .test_fraction = "share of each class that is tested on, not trained on"},
    {{"nv_images",
      &Skin4Options::nv_images,
      {.min = 0, .doc = "images of the class NV that are used; 0: all"}}});

const std::vector<std::string> kClasses{"MEL", "NV", "BCC", "BKL"};
constexpr std::int64_t kNv = 1;

/// SKIN4 of the paper: the ISIC 2018 Task 3 training images of four classes (Tschandl, Rosendahl,
/// Kittler, "The HAM10000 dataset", Scientific Data 5:180161, 2018).
class Skin4 final : public ImageFileDataset {
 public:
  explicit Skin4(const Skin4Options& options)
      : ImageFileDataset(options),
        options_(options),
        labels_(fs::path(options.root) / "ISIC2018_Task3_Training_GroundTruth" /
                "ISIC2018_Task3_Training_GroundTruth.csv"),
        groups_(find_groups(options.root, labels_.parent_path())),
        images_(fs::path(options.root) / "ISIC2018_Task3_Training_Input") {}

 private:
  ImageFiles select() const override {
    check_folders();
    ImageLabels labels = read_isic_labels(labels_, groups_, kClasses);
    const ImageListing listing(images_, {".jpg", ".jpeg", ".png"});  // PNG: of converters
    for (auto& note : listing.notes(labels.rows)) labels.notes.push_back(std::move(note));
    ImageFiles files{
        .source = labels_.string(),
        .class_names = kClasses,
        .split = split_by_group(with_nv_drawn(labels), options_.test_fraction, options_.seed),
        .path_of = [listing](const LabelledImage& image) { return listing.path_of(image.id); },
        .named_by =
            [rows = std::move(labels.rows)](const LabelledImage& image) {
              return concat(" (", rows.at(image.id), ")");
            },
        .label_files = {labels_},
        .notes = std::move(labels.notes)};
    if (!groups_.empty()) files.label_files.push_back(groups_);
    return files;
  }

  /// All images, of which those of the class NV are drawn.
  std::vector<LabelledImage> with_nv_drawn(ImageLabels& labels) const {
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
    return chosen;
  }

  void check_folders() const {
    check_root(options_.root, "skin4", "the ISIC 2018 Task 3 images");
    std::error_code ignored;
    if (!fs::is_directory(images_, ignored))
      throw InputError(concat("'", images_.string(),
                              "' is no folder (skin4 reads its images from it); unpack "
                              "ISIC2018_Task3_Training_Input.zip in dataset.root"));
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

SWEEP_REGISTER_DATASET("skin4", kSkin4Options, Skin4,
                       "ISIC 2018 Task 3 dermoscopy: MEL, NV, BCC, BKL (the paper's SKIN4)");

}  // namespace
}  // namespace sweep::trainer
