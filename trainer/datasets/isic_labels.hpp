#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "trainer/datasets/split.hpp"

namespace sweep::trainer {

/// The label files of ISIC 2018 Task 3, read.
struct IsicLabels {
  std::vector<LabelledImage> images;        ///< of the classes asked for; group: the lesion
  std::map<std::string, std::string> rows;  ///< image -> its row ("labels.csv:12"), all classes
  std::vector<std::string> notes;           ///< what was left out, what is not known
};

/// `labels` has a column "image" and one column per class, of which exactly one is 1 in each row.
/// `groups` has the columns "image" and "lesion_id"; where it is empty, or doesn't name an image,
/// the image is a group of its own. Columns are found by name.
/// @throws InputError naming the file and line of a column that is missing, an image that is there
///         twice or whose name would lead out of the image folder, a row without exactly one class.
IsicLabels read_isic_labels(const std::filesystem::path& labels,
                            const std::filesystem::path& groups,
                            const std::vector<std::string>& classes);

}  // namespace sweep::trainer
