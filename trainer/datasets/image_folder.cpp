#include <algorithm>
#include <filesystem>

#include "core/error.hpp"
#include "core/text.hpp"
#include "trainer/datasets/image_file_dataset.hpp"
#include "trainer/datasets/image_listing.hpp"
#include "trainer/datasets/label_rows.hpp"

namespace sweep::trainer {
namespace {

namespace fs = std::filesystem;

using ImageFolderOptions = ImageFileOptions;

const OptionTable<ImageFolderOptions> kImageFolderOptions =
    with_image_file_options<ImageFolderOptions>(
        {.root =
             "folder with one folder of JPEG, PNG or DICOM images for each class, or with train/ "
             "and test/ that have these",
         .seed = "draws the split, where the folder has none",
         .test_fraction = "share of each class that is tested on, where the folder has no split"},
        {});

/// Sorted by name.
std::vector<fs::path> folders_in(const fs::path& root) {
  std::vector<fs::path> folders;
  for (const auto& entry : entries_of(root)) {
    std::error_code ignored;
    if (entry.is_directory(ignored)) folders.push_back(entry.path());
  }
  return folders;
}

/// One folder per class: a user's own images, without code.
class ImageFolder final : public ImageFileDataset {
 public:
  explicit ImageFolder(const ImageFolderOptions& options)
      : ImageFileDataset(options), options_(options) {}

 private:
  ImageFiles select() const override {
    check_root(options_.root, "image_folder", "one folder per class");
    const fs::path root(options_.root);
    ImageFiles files{.source = options_.root};
    files.path_of = [root](const LabelledImage& image) { return root / image.id; };
    std::error_code ignored;
    const bool has_split =
        fs::is_directory(root / "train", ignored) && fs::is_directory(root / "test", ignored);
    files.class_names = class_names_in(has_split ? root / "train" : root);
    if (has_split) {
      files.split = {images_in("train", files.class_names, files.notes),
                     images_in("test", files.class_names, files.notes)};
    } else {
      files.split = split_by_group(images_in("", files.class_names, files.notes),
                                   options_.test_fraction, options_.seed);
    }
    return files;
  }

  static std::vector<std::string> class_names_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& path : folders_in(folder)) names.push_back(path.filename().string());
    if (names.size() < 2)
      throw InputError(concat("'", folder.string(), "' has ", names.size(),
                              " folders (a classifier needs at least two classes, one folder "
                              "each); check dataset.root"));
    return names;
  }

  /// Images of every class below `part` of the root, ordered by class and name.
  std::vector<LabelledImage> images_in(const std::string& part,
                                       const std::vector<std::string>& class_names,
                                       std::vector<std::string>& notes) const {
    const fs::path folder = fs::path(options_.root) / part;
    refuse_other_classes(folder, class_names);
    std::vector<LabelledImage> images;
    std::vector<std::string> others;
    for (std::size_t k = 0; k < class_names.size(); ++k) {
      std::error_code ignored;
      if (!fs::is_directory(folder / class_names[k], ignored)) continue;  // an empty class
      add_images(folder / class_names[k], static_cast<std::int64_t>(k), images, others);
    }
    std::sort(images.begin(), images.end(), [](const auto& a, const auto& b) {
      return std::pair(a.label, a.id) < std::pair(b.label, b.id);
    });
    if (!others.empty())
      notes.push_back(concat(others.size(), " files", part.empty() ? "" : " of " + part,
                             " are left out: their names do not end in .jpg, .jpeg, .png or .dcm (",
                             first_few(others), ")"));
    return images;
  }

  /// Of the folder and, below it, of all others. Ids are paths below the root.
  void add_images(const fs::path& folder, std::int64_t label, std::vector<LabelledImage>& images,
                  std::vector<std::string>& others, int depth = 0) const {
    if (depth > kMaxDepth)
      throw InputError(concat("'", folder.string(), "' lies more than ", kMaxDepth,
                              " folders deep (a link may lead in a circle); remove it"));
    for (const auto& entry : entries_of(folder)) {
      const std::string id = entry.path().lexically_relative(options_.root).string();
      std::error_code ignored;  // a link that leads nowhere is an image that is missing
      if (entry.is_directory(ignored)) {
        add_images(entry.path(), label, images, others, depth + 1);
      } else if (has_image_extension(entry.path())) {
        images.push_back({id, id, label});
      } else {
        others.push_back(excerpt(id));
      }
    }
  }

  static void refuse_other_classes(const fs::path& folder,
                                   const std::vector<std::string>& class_names) {
    for (const auto& path : folders_in(folder))
      if (std::find(class_names.begin(), class_names.end(), path.filename()) == class_names.end())
        throw InputError(concat("'", path.string(),
                                "' is a class that train/ does not have (no model could predict "
                                "it); rename or remove the folder"));
  }

  static constexpr int kMaxDepth = 16;

  ImageFolderOptions options_;
};

SWEEP_REGISTER_DATASET("image_folder", kImageFolderOptions, ImageFolder,
                       "your own images: one folder per class, JPEG, PNG or DICOM");

}  // namespace
}  // namespace sweep::trainer
