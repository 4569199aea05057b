#include <filesystem>

#include "core/error.hpp"
#include "core/text.hpp"
#include "trainer/datasets/image_file_dataset.hpp"
#include "trainer/datasets/image_listing.hpp"
#include "trainer/datasets/rsna_labels.hpp"

namespace sweep::trainer {
namespace {

namespace fs = std::filesystem;

struct RsnaOptions : ImageFileOptions {
  RsnaOptions() { test_fraction = 6000.0 / 27000; }  // the paper: 21,000 and 6,000 images
  std::string groups;
};

const OptionTable<RsnaOptions> kRsnaOptions = with_image_file_options<RsnaOptions>(
    {.root = "folder with stage_2_train_images, stage_2_detailed_class_info.csv and "
             "stage_2_train_labels.csv",
     .seed = "draws the split",
     .test_fraction = "share of each class that is tested on; the paper's is 6000 of 27000"},
    {{"groups",
      &RsnaOptions::groups,
      {.doc = "CSV file with patientId and a column that names the person: images of one person "
              "stay in one split; empty: nih_patients.csv in the root, where it is there",
       .location = true}}});

/// The RSNA 2018 pneumonia challenge as Kaggle lays it out (Shih et al., "Augmenting the National
/// Institutes of Health Chest Radiograph Dataset with Expert Annotations of Possible Pneumonia",
/// Radiology: Artificial Intelligence 1(1), 2019).
class Rsna final : public ImageFileDataset {
 public:
  explicit Rsna(const RsnaOptions& options)
      : ImageFileDataset(options),
        options_(options),
        root_(options.root),
        images_(root_ / "stage_2_train_images") {}

 private:
  ImageFiles select() const override {
    check_root(options_.root, "rsna", "the RSNA 2018 pneumonia challenge");
    std::error_code ignored;
    if (!fs::is_directory(images_, ignored))
      throw InputError(concat("'", images_.string(),
                              "' is no folder (rsna reads its images from it); unpack "
                              "stage_2_train_images.zip in dataset.root"));
    const fs::path classes = root_ / "stage_2_detailed_class_info.csv",
                   targets = root_ / "stage_2_train_labels.csv", persons = find_persons();
    ImageLabels labels = read_rsna_labels(classes, targets, persons);
    const ImageListing listing(images_, {".dcm", ".png", ".jpg", ".jpeg"});
    for (auto& note : listing.notes(labels.rows)) labels.notes.push_back(std::move(note));
    ImageFiles files{
        .source = classes.string(),
        .class_names = rsna_classes(),
        .split = split_by_group(std::move(labels.images), options_.test_fraction, options_.seed),
        .path_of = [listing](const LabelledImage& image) { return listing.path_of(image.id); },
        .named_by =
            [rows = std::move(labels.rows)](const LabelledImage& image) {
              return concat(" (", rows.at(image.id), ")");
            },
        .label_files = {classes, targets},
        .notes = std::move(labels.notes)};
    if (!persons.empty()) files.label_files.push_back(persons);
    return files;
  }

  /// Empty where there is none.
  fs::path find_persons() const {
    if (!options_.groups.empty()) return options_.groups;
    std::error_code ignored;
    const fs::path usual = root_ / "nih_patients.csv";
    return fs::exists(usual, ignored) ? usual : fs::path();
  }

  RsnaOptions options_;
  fs::path root_, images_;
};

SWEEP_REGISTER_DATASET("rsna", kRsnaOptions, Rsna,
                       "RSNA 2018 pneumonia challenge, chest X-rays as DICOM, PNG or JPEG: Normal, "
                       "No Lung Opacity / Not Normal, Lung Opacity");

}  // namespace
}  // namespace sweep::trainer
