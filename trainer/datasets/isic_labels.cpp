#include "trainer/datasets/isic_labels.hpp"

#include <algorithm>
#include <cstdlib>

#include "core/error.hpp"
#include "core/text.hpp"
#include "trainer/datasets/csv.hpp"

namespace sweep::trainer {
namespace {

/// Names become paths below the image folder and must not lead out of it.
std::string checked_id(const Csv& csv, const Csv::Row& row, std::size_t column) {
  const std::string& id = row.fields[column];
  if (id.empty() || id.front() == '.' || id.find_first_of("/\\") != std::string::npos ||
      id.find('\0') != std::string::npos)
    throw InputError(concat(csv.where(row), ": '", id, "' is no image name; correct the row"));
  return id;
}

/// The one column, apart from the name, that holds 1.
std::size_t hot_column(const Csv& csv, const Csv::Row& row, std::size_t image_column) {
  std::vector<std::size_t> hot;
  for (std::size_t i = 0; i < row.fields.size(); ++i) {
    if (i == image_column || row.fields[i].empty()) continue;
    char* end = nullptr;
    const double value = std::strtod(row.fields[i].c_str(), &end);
    if (*end != '\0' || (value != 0 && value != 1))
      throw InputError(concat(csv.where(row), ": '", row.fields[i], "' in column '",
                              csv.header()[i], "' is neither 0 nor 1; correct the row"));
    if (value == 1) hot.push_back(i);
  }
  if (hot.size() != 1)
    throw InputError(concat(csv.where(row), ": the image has ", hot.size(),
                            " classes (exactly one column must be 1); correct the row"));
  return hot.front();
}

/// Fills images, rows and notes; the groups are still empty.
void read_classes(const std::filesystem::path& file, const std::vector<std::string>& classes,
                  IsicLabels& result) {
  const Csv csv(file);
  const std::size_t image_column = csv.column("image");
  std::vector<std::size_t> class_columns;
  for (const auto& name : classes) class_columns.push_back(csv.column(name));
  for (const auto& row : csv.rows()) {
    const std::string id = checked_id(csv, row, image_column);
    const auto [first, added] = result.rows.emplace(id, csv.where(row));
    if (!added)
      throw InputError(concat(csv.where(row), ": the image '", id, "' has two rows (the first is ",
                              first->second, "); delete one"));
    const std::size_t hot = hot_column(csv, row, image_column);
    const auto found = std::find(class_columns.begin(), class_columns.end(), hot);
    if (found != class_columns.end())
      result.images.push_back({id, "", found - class_columns.begin()});
  }
  const std::size_t others = result.rows.size() - result.images.size();
  if (others > 0) result.notes.push_back(concat(others, " images of other classes are left out"));
}

/// Image -> lesion.
std::map<std::string, std::string> read_lesions(const std::filesystem::path& file) {
  const Csv csv(file);
  const std::size_t image = csv.column("image"), lesion = csv.column("lesion_id");
  std::map<std::string, std::string> lesions;
  for (const auto& row : csv.rows()) {
    if (row.fields[lesion].empty()) continue;
    const auto [known, added] = lesions.emplace(row.fields[image], row.fields[lesion]);
    if (!added && known->second != row.fields[lesion])
      throw InputError(concat(csv.where(row), ": the image '", known->first,
                              "' belongs to two lesions (the other is ", known->second,
                              "); delete one row"));
  }
  return lesions;
}

}  // namespace

IsicLabels read_isic_labels(const std::filesystem::path& labels,
                            const std::filesystem::path& groups,
                            const std::vector<std::string>& classes) {
  IsicLabels result;
  read_classes(labels, classes, result);
  std::map<std::string, std::string> lesions;
  if (!groups.empty()) lesions = read_lesions(groups);
  std::size_t alone = 0;
  for (auto& image : result.images) {
    const auto lesion = lesions.find(image.id);
    if (lesion == lesions.end()) ++alone;
    image.group = lesion == lesions.end() ? image.id : lesion->second;
  }
  if (groups.empty()) {
    result.notes.push_back(
        "there is no file of lesion groups: images of one lesion can be in both splits");
  } else if (alone > 0) {
    result.notes.push_back(concat(alone, " images have no lesion in '", groups.filename().string(),
                                  "': each counts as a lesion of its own"));
  }
  return result;
}

}  // namespace sweep::trainer
