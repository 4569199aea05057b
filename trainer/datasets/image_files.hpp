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
  std::vector<std::string> notes{};  ///< what was left out, and why
};

/// @throws InputError naming the first few images that are missing, cut off or no images, or the
///         class that has no image in a split. `source` names the dataset in that message.
void check_image_files(const ImageFiles& files, const std::string& source);

/// As Dataset::inspect gives it. `labels` holds what the labels come from, where they are in files
/// of their own; ids and sizes of the images are added: reading every image whole at every start
/// would take too long.
DatasetSummary summarize(const ImageFiles& files, Sha256& labels);

/// As Dataset::prepare, all images scaled to size x size.
PreparedDataset decode_image_files(const ImageFiles& files, std::int64_t size, int threads,
                                   const std::function<bool(std::int64_t, std::int64_t)>& progress);

}  // namespace sweep::trainer
