#include "trainer/datasets/image_file_dataset.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "trainer/datasets/label_rows.hpp"

namespace sweep::trainer {
namespace {

std::string skipped_note(const std::vector<SkippedImage>& skipped) {
  std::vector<std::string> names;
  for (const auto& image : skipped) names.push_back(concat(image.id, " ", image.reason));
  return concat(skipped.size(),
                " images are skipped (dataset.on_bad_image = \"skip\"): ", first_few(names));
}

}  // namespace

ImageFileDataset::ImageFileDataset(const ImageFileOptions& options)
    : image_size_(options.image_size), skip_bad_(options.on_bad_image == "skip") {}

DatasetSummary ImageFileDataset::inspect() const {
  ImageFiles files = select();
  std::string empty = empty_class(files);
  if (!empty.empty()) throw InputError(empty);
  DatasetSummary summary{.class_names = files.class_names};
  if (skip_bad_) {
    summary.source_fingerprint = fingerprint(files);
    const auto skipped = take_out_bad_images(files);
    empty = empty_class(files);
    if (!empty.empty()) throw InputError(concat(skipped_note(skipped), "; ", empty));
    if (!skipped.empty()) files.notes.push_back(skipped_note(skipped));
  } else {
    refuse_bad_images(files);
    summary.source_fingerprint = fingerprint(files);
  }
  summary.train_counts = class_counts(files.split.train, files.class_names.size());
  summary.test_counts = class_counts(files.split.test, files.class_names.size());
  summary.notes = std::move(files.notes);
  return summary;
}

PreparedDataset ImageFileDataset::prepare(
    int threads, const std::function<bool(std::int64_t, std::int64_t)>& progress) const {
  ImageFiles files = select();
  std::vector<SkippedImage> skipped;
  if (skip_bad_) skipped = take_out_bad_images(files);  // so that no more are used than inspected
  PreparedDataset prepared = decode_image_files(files, image_size_, skip_bad_, threads, progress);
  skipped.insert(skipped.end(), prepared.skipped.begin(), prepared.skipped.end());
  const auto place = [&](const SkippedImage& image) {
    const auto found =
        std::find(prepared.class_names.begin(), prepared.class_names.end(), image.class_name);
    return std::tuple(image.split == "test", found - prepared.class_names.begin(), image.id);
  };
  std::sort(skipped.begin(), skipped.end(),
            [&](const auto& a, const auto& b) { return place(a) < place(b); });
  prepared.skipped = std::move(skipped);
  return prepared;
}

void check_root(const std::string& root, const std::string& dataset, const std::string& what) {
  std::error_code ignored;  // a folder that can't be looked at is as good as none
  if (!std::filesystem::is_directory(root, ignored))
    throw InputError(concat("dataset.root = '", root, "' is no folder (", dataset, " reads ", what,
                            " from it); give the folder with --set dataset.root=DIR"));
}

}  // namespace sweep::trainer
