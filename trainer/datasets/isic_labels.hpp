#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "trainer/datasets/label_rows.hpp"

namespace sweep::trainer {

/// The label files of ISIC 2018 Task 3. `labels` has a column "image" and one column per class, of
/// which exactly one is 1 in each row. `groups` has the columns "image" and "lesion_id"; where it
/// is empty, or doesn't name an image, the image is a group of its own. Columns are found by name.
/// @throws InputError naming the file and line of a column that is missing, an image that is there
///         twice or whose name would lead out of the image folder, a row without exactly one class.
ImageLabels read_isic_labels(const std::filesystem::path& labels,
                             const std::filesystem::path& groups,
                             const std::vector<std::string>& classes);

}  // namespace sweep::trainer
