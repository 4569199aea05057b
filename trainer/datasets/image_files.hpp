#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/hash.hpp"
#include "trainer/datasets/dataset.hpp"
#include "trainer/datasets/split.hpp"

namespace sweep::trainer {

/// A dataset whose images are files: what most datasets are, once their labels are read.
struct ImageFiles {
  std::vector<std::string> class_names;
  Split split;
  std::function<std::filesystem::path(const LabelledImage&)> path_of;
  /// " (labels.csv:12)", behind a complaint about the image; may be empty.
  std::function<std::string(const LabelledImage&)> named_by = [](const auto&) { return ""; };
};

/// Images per class.
std::vector<std::int64_t> class_counts(const std::vector<LabelledImage>& images,
                                       std::size_t num_classes);

/// @throws InputError naming the first few images that are missing, cut off or no images, or the
///         class that has no image in a split. `source` names the dataset in that message.
void check_image_files(const ImageFiles& files, const std::string& source);

/// Ids and sizes of all images: reading every image whole at every start would take too long.
void hash_image_files(Sha256& hash, const ImageFiles& files);

/// As Dataset::prepare, all images scaled to size x size.
PreparedDataset decode_image_files(const ImageFiles& files, std::int64_t size, int threads,
                                   const std::function<bool(std::int64_t, std::int64_t)>& progress);

}  // namespace sweep::trainer
