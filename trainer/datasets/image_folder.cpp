#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "trainer/datasets/dataset.hpp"
#include "trainer/datasets/image_files.hpp"

namespace sweep::trainer {
namespace {

namespace fs = std::filesystem;

struct ImageFolderOptions : DatasetOptions {
  std::string root;
  double test_fraction = 1.0 / 6;
};

const OptionTable<ImageFolderOptions> table{
    {"root",
     &ImageFolderOptions::root,
     {.doc = "folder with one folder of JPEG and PNG images for each class, or with train/ and "
             "test/ that have these",
      .location = true,
      .required = true}},
    {"image_size",
     static_cast<std::int64_t ImageFolderOptions::*>(&ImageFolderOptions::image_size),
     {.min = 16, .max = 1024, .unit = "pixels", .doc = "height and width after scaling"}},
    {"seed",
     static_cast<std::int64_t ImageFolderOptions::*>(&ImageFolderOptions::seed),
     {.min = 0, .doc = "draws the split, where the folder has none"}},
    {"test_fraction",
     &ImageFolderOptions::test_fraction,
     {.min = 0.01,
      .max = 0.9,
      .doc = "share of each class that is tested on, where the folder has no split"}},
};

bool is_hidden(const fs::path& path) {
  return path.filename().string().front() == '.';
}

bool has_image_extension(const fs::path& path) {
  static const std::set<std::string> extensions{".jpg", ".jpeg", ".png"};
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extensions.contains(extension);
}

/// Sorted by name.
std::vector<fs::path> folders_in(const fs::path& root) {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(root))
    if (entry.is_directory() && !is_hidden(entry.path())) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

/// One folder per class: a user's own images, without code.
class ImageFolder final : public Dataset {
 public:
  explicit ImageFolder(const ImageFolderOptions& options) : options_(options) {}

  DatasetSummary inspect() const override {
    const ImageFiles files = select();
    check_image_files(files, options_.root);
    Sha256 no_labels;  // the ids have the classes in them
    return summarize(files, no_labels);
  }

  PreparedDataset prepare(
      int threads, const std::function<bool(std::int64_t, std::int64_t)>& progress) const override {
    return decode_image_files(select(), options_.image_size, threads, progress);
  }

 private:
  ImageFiles select() const {
    const fs::path root(options_.root);
    std::error_code ignored;  // a folder that can't be looked at is as good as none
    if (!fs::is_directory(root, ignored))
      throw InputError(concat("dataset.root = '", options_.root,
                              "' is no folder (image_folder reads one folder per class from it); "
                              "give the folder with --set dataset.root=DIR"));
    ImageFiles files;
    files.path_of = [root](const LabelledImage& image) { return root / image.id; };
    const bool has_split = fs::is_directory(root / "train") && fs::is_directory(root / "test");
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

  /// Images of every class below `part` of the root, ordered by class and name. Ids are paths below
  /// the root.
  std::vector<LabelledImage> images_in(const std::string& part,
                                       const std::vector<std::string>& class_names,
                                       std::vector<std::string>& notes) const {
    const fs::path folder = fs::path(options_.root) / part;
    refuse_other_classes(folder, class_names);
    std::vector<LabelledImage> images;
    std::int64_t others = 0;
    for (std::size_t k = 0; k < class_names.size(); ++k) {
      if (!fs::is_directory(folder / class_names[k])) continue;  // named by check_image_files
      for (const auto& entry : fs::recursive_directory_iterator(folder / class_names[k])) {
        if (!entry.is_regular_file() || is_hidden(entry.path())) continue;
        if (!has_image_extension(entry.path())) {
          ++others;
          continue;
        }
        const std::string id = fs::relative(entry.path(), options_.root).string();
        images.push_back({id, id, static_cast<std::int64_t>(k)});
      }
    }
    std::sort(images.begin(), images.end(), [](const auto& a, const auto& b) {
      return std::pair(a.label, a.id) < std::pair(b.label, b.id);
    });
    if (others > 0)
      notes.push_back(concat(others, " files below '", folder.string(),
                             "' were left out: their names do not end in .jpg, .jpeg or .png"));
    return images;
  }

  static void refuse_other_classes(const fs::path& folder,
                                   const std::vector<std::string>& class_names) {
    for (const auto& path : folders_in(folder))
      if (std::find(class_names.begin(), class_names.end(), path.filename()) == class_names.end())
        throw InputError(concat("'", path.string(),
                                "' is a class that train/ does not have (no model could predict "
                                "it); rename or remove the folder"));
  }

  ImageFolderOptions options_;
};

SWEEP_REGISTER_DATASET("image_folder", table, ImageFolder,
                       "your own images: one folder per class, JPEG and PNG");

}  // namespace
}  // namespace sweep::trainer
