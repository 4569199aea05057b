#include "trainer/datasets/label_rows.hpp"

#include <algorithm>
#include <cstdlib>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::trainer {
namespace {

constexpr std::size_t kNamesShown = 3;

/// Image -> group.
std::map<std::string, std::string> read_groups(const std::filesystem::path& file,
                                               const std::string& image_column,
                                               const std::string& group_column,
                                               const GroupWords& words) {
  const Csv csv(file);
  const std::size_t image = csv.column(image_column), group = csv.column(group_column);
  std::map<std::string, std::string> groups;
  for (const auto& row : csv.rows()) {
    if (row.fields[group].empty()) continue;
    const auto [known, added] = groups.emplace(row.fields[image], row.fields[group]);
    if (!added && known->second != row.fields[group])
      throw InputError(concat(csv.where(row), ": the image '", excerpt(known->first),
                              "' belongs to two ", words.many, " (the other is ",
                              excerpt(known->second), "); delete one row"));
  }
  return groups;
}

}  // namespace

std::string image_name(const Csv& csv, const Csv::Row& row, std::size_t column) {
  const std::string& name = row.fields[column];
  if (name.empty() || name.front() == '.' || name.find_first_of("/\\") != std::string::npos)
    throw InputError(
        concat(csv.where(row), ": '", excerpt(name), "' is no image name; correct the row"));
  return name;
}

bool is_one(const Csv& csv, const Csv::Row& row, std::size_t column) {
  std::string text = row.fields[column];
  if (text.empty()) return false;
  std::replace(text.begin(), text.end(), ',', '.');
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (*end != '\0' || (value != 0 && value != 1))
    throw InputError(concat(csv.where(row), ": '", excerpt(row.fields[column]), "' in column '",
                            excerpt(csv.header()[column]),
                            "' is neither 0 nor 1; correct the row"));
  return value == 1;
}

void assign_groups(ImageLabels& labels, const std::filesystem::path& file,
                   const std::string& image_column, const std::string& group_column,
                   const GroupWords& words) {
  std::map<std::string, std::string> groups;
  if (!file.empty()) groups = read_groups(file, image_column, group_column, words);
  std::vector<std::string> alone, unknown;
  for (auto& image : labels.images) {
    const auto group = groups.find(image.id);
    if (group == groups.end()) alone.push_back(image.id);
    image.group = group == groups.end() ? image.id : group->second;
  }
  for (const auto& [image, group] : groups)
    if (!labels.rows.contains(image)) unknown.push_back(excerpt(image));
  if (file.empty()) {
    labels.notes.push_back(concat("there is no file of ", words.one, " groups: images of one ",
                                  words.one, " can be in both splits"));
    return;
  }
  const std::string name = file.filename().string();
  if (!alone.empty())
    labels.notes.push_back(concat(alone.size(), " images have no ", words.one, " in '", name,
                                  "': each counts as a ", words.one, " of its own (",
                                  first_few(alone), ")"));
  if (!unknown.empty())
    labels.notes.push_back(concat("'", name, "' names ", unknown.size(),
                                  " images that have no label (", first_few(unknown), ")"));
}

std::string first_few(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), kNamesShown);
  const std::string text = join(std::span(names).first(shown), ", ");
  return names.size() > shown ? concat(text, " and ", names.size() - shown, " more") : text;
}

}  // namespace sweep::trainer
