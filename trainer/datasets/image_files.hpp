#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "trainer/datasets/dataset.hpp"
#include "trainer/datasets/split.hpp"

namespace sweep::trainer {

/// A dataset whose images are files: what most datasets are, once their labels are read.
struct ImageFiles {
  std::string source;  ///< names the dataset in messages: its label file, its folder
  std::vector<std::string> class_names;
  Split split;
  std::function<std::filesystem::path(const LabelledImage&)> path_of;
  /// " (labels.csv:12)", behind a complaint about the image; may be empty.
  std::function<std::string(const LabelledImage&)> named_by = [](const auto&) { return ""; };
  std::vector<std::filesystem::path> label_files{};  ///< what the labels come from
  std::vector<std::string> notes{};                  ///< as in PreparedDataset
};

/// Empty, or which class has no image in a split.
std::string empty_class(const ImageFiles& files);

/// Takes out of the split every image that is missing, cut off or no image, as far as a look at the
/// files' ends tells.
std::vector<SkippedImage> take_out_bad_images(ImageFiles& files);

/// @throws InputError naming the first few images that take_out_bad_images would take out.
void refuse_bad_images(const ImageFiles& files);

/// Of the label files, and of the names and sizes of all images: reading every image whole at every
/// start would take too long. Images of which some are to be skipped must still be there.
std::string fingerprint(const ImageFiles& files);

/// Images per class.
std::vector<std::int64_t> class_counts(const std::vector<LabelledImage>& images,
                                       std::size_t num_classes);

/// As Dataset::prepare, all images scaled to size x size. With `skip_bad` images that can't be
/// decoded are left out.
PreparedDataset decode_image_files(const ImageFiles& files, std::int64_t size, bool skip_bad,
                                   int threads,
                                   const std::function<bool(std::int64_t, std::int64_t)>& progress);

}  // namespace sweep::trainer
