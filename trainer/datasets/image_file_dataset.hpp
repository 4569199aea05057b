#pragma once

#include <string>

#include "trainer/datasets/dataset.hpp"
#include "trainer/datasets/image_files.hpp"

namespace sweep::trainer {

/// Options that every dataset of files has.
struct ImageFileOptions : DatasetOptions {
  std::string root;
  double test_fraction = 1.0 / 6;
  std::string on_bad_image = "error";
};

/// What differs in the help of these options.
struct ImageFileDocs {
  std::string root, seed, test_fraction;
};

/// The keys of ImageFileOptions, then `own`.
template <class Options>
OptionTable<Options> with_image_file_options(const ImageFileDocs& docs, OptionTable<Options> own) {
  OptionTable<Options> table{
      {"root",
       static_cast<std::string Options::*>(&Options::root),
       {.doc = docs.root, .location = true, .required = true}},
      {"image_size",
       static_cast<std::int64_t Options::*>(&Options::image_size),
       {.min = 16, .max = 1024, .unit = "pixels", .doc = "height and width after scaling"}},
      {"seed", static_cast<std::int64_t Options::*>(&Options::seed), {.min = 0, .doc = docs.seed}},
      {"test_fraction",
       static_cast<double Options::*>(&Options::test_fraction),
       {.min = 0.01, .max = 0.9, .doc = docs.test_fraction}},
      {"on_bad_image",
       static_cast<std::string Options::*>(&Options::on_bad_image),
       {.choices = {"error", "skip"},
        .doc = "what to do with an image that is missing, cut off or can't be decoded"}}};
  table.insert(table.end(), own.begin(), own.end());
  return table;
}

/// A dataset that only has to say which files it is made of.
class ImageFileDataset : public Dataset {
 public:
  DatasetSummary inspect() const final;
  PreparedDataset prepare(
      int threads, const std::function<bool(std::int64_t, std::int64_t)>& progress) const final;

 protected:
  explicit ImageFileDataset(const ImageFileOptions& options);

  /// Reads the labels and draws the split; looks at no image. @throws InputError
  virtual ImageFiles select() const = 0;

 private:
  std::int64_t image_size_;
  bool skip_bad_;
};

/// @throws InputError when `root` is no folder, naming the dataset and what it reads from it.
void check_root(const std::string& root, const std::string& dataset, const std::string& what);

}  // namespace sweep::trainer
