#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "trainer/datasets/csv.hpp"
#include "trainer/datasets/split.hpp"

namespace sweep::trainer {

/// What a label file says of images.
struct ImageLabels {
  std::vector<LabelledImage> images;        ///< of the classes asked for
  std::map<std::string, std::string> rows;  ///< image -> its row ("labels.csv:12"), all classes
  std::vector<std::string> notes;           ///< what was left out, what is not known
};

/// The field as the name of an image. @throws InputError when it is empty or would lead out of the
/// folder of images.
std::string image_name(const Csv& csv, const Csv::Row& row, std::size_t column);

/// The field as 0 or 1, also written 0.0, 1.0 or, with decimal commas, 1,0; an empty one is 0.
/// @throws InputError
bool is_one(const Csv& csv, const Csv::Row& row, std::size_t column);

/// How the images of one lesion or one person are told, for messages.
struct GroupWords {
  std::string one, many;  ///< "lesion", "lesions"
};

/// Sets the group of every image from `file`, which names the image in `image_column` and the group
/// in `group_column`. An image that it does not name, or any where `file` is empty, is a group of
/// its own, which a note says. @throws InputError when an image is in two groups.
void assign_groups(ImageLabels& labels, const std::filesystem::path& file,
                   const std::string& image_column, const std::string& group_column,
                   const GroupWords& words);

/// "a, b, c" or "a, b, c and 4 more".
std::string first_few(const std::vector<std::string>& names);

}  // namespace sweep::trainer
