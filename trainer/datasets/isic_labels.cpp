#include "trainer/datasets/isic_labels.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::trainer {
namespace {

/// The one column, apart from the name, that holds 1.
std::size_t hot_column(const Csv& csv, const Csv::Row& row, std::size_t image_column) {
  std::vector<std::size_t> hot;
  for (std::size_t i = 0; i < row.fields.size(); ++i)
    if (i != image_column && is_one(csv, row, i)) hot.push_back(i);
  if (hot.size() != 1)
    throw InputError(concat(csv.where(row), ": the image has ", hot.size(),
                            " classes (exactly one column must be 1); correct the row"));
  return hot.front();
}

}  // namespace

ImageLabels read_isic_labels(const std::filesystem::path& labels,
                             const std::filesystem::path& groups,
                             const std::vector<std::string>& classes) {
  const Csv csv(labels);
  const std::size_t image_column = csv.column("image");
  std::vector<std::size_t> class_columns;
  for (const auto& name : classes) class_columns.push_back(csv.column(name));
  ImageLabels result;
  for (const auto& row : csv.rows()) {
    const std::string id = image_name(csv, row, image_column);
    const auto [first, added] = result.rows.emplace(id, csv.where(row));
    if (!added)
      throw InputError(concat(csv.where(row), ": the image '", excerpt(id),
                              "' has two rows (the first is ", first->second, "); delete one"));
    const std::size_t hot = hot_column(csv, row, image_column);
    const auto found = std::find(class_columns.begin(), class_columns.end(), hot);
    if (found != class_columns.end())
      result.images.push_back({id, "", found - class_columns.begin()});
  }
  const std::size_t others = result.rows.size() - result.images.size();
  if (others > 0) result.notes.push_back(concat(others, " images of other classes are left out"));
  assign_groups(result, groups, "image", "lesion_id", {"lesion", "lesions"});
  return result;
}

}  // namespace sweep::trainer
