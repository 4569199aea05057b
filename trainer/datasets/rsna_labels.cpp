#include "trainer/datasets/rsna_labels.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::trainer {
namespace {

constexpr char kIdColumn[] = "patientId";
constexpr std::int64_t kLungOpacity = 2;

struct Row {
  std::int64_t label = 0;
  std::string where;
};
using Rows = std::map<std::string, Row>;  ///< patient -> the first row

std::int64_t class_index(const Csv& csv, const Csv::Row& row, const std::string& name) {
  const auto& names = rsna_classes();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw InputError(concat(csv.where(row), ": '", excerpt(name),
                            "' is no class (they are: ", join(names, ", "), "); correct the row"));
  return found - names.begin();
}

Rows read_classes(const std::filesystem::path& file) {
  const Csv csv(file);
  const std::size_t id_column = csv.column(kIdColumn), class_column = csv.column("class");
  Rows rows;
  for (const auto& row : csv.rows()) {
    const std::string id = image_name(csv, row, id_column);
    const std::int64_t label = class_index(csv, row, row.fields[class_column]);
    const Row& first = rows.try_emplace(id, Row{label, csv.where(row)}).first->second;
    if (first.label != label)
      throw InputError(concat(csv.where(row), ": the patient '", excerpt(id), "' is '",
                              row.fields[class_column], "', but '",
                              rsna_classes()[static_cast<std::size_t>(first.label)], "' in ",
                              first.where, "; correct one row"));
  }
  return rows;
}

/// Checks the classes against the targets. Returns the patients that have a target.
std::map<std::string, bool> check_targets(const std::filesystem::path& file, const Rows& classes) {
  const Csv csv(file);
  const std::size_t id_column = csv.column(kIdColumn), target_column = csv.column("Target");
  std::map<std::string, bool> targets;
  for (const auto& row : csv.rows()) {
    const std::string id = image_name(csv, row, id_column);
    if (row.fields[target_column].empty())
      throw InputError(
          concat(csv.where(row), ": the Target is empty (it must be 0 or 1); correct the row"));
    const bool target = is_one(csv, row, target_column);
    const bool first = targets.try_emplace(id, target).first->second;
    const auto known = classes.find(id);
    if (known != classes.end() && target != (known->second.label == kLungOpacity))
      throw InputError(
          concat(csv.where(row), ": the patient '", excerpt(id), "' has Target ", target, ", but ",
                 known->second.where, " says '",
                 rsna_classes()[static_cast<std::size_t>(known->second.label)],
                 "' (Target is 1 for Lung Opacity and 0 for the others); correct one row"));
    if (first != target)
      throw InputError(concat(csv.where(row), ": the patient '", excerpt(id), "' has Target ",
                              target, ", but ", first, " in a row before it; correct one row"));
  }
  return targets;
}

/// The column beside the patient's.
std::string person_column(const std::filesystem::path& file) {
  const Csv csv(file);
  const std::size_t id_column = csv.column(kIdColumn);
  if (csv.header().size() != 2)
    throw InputError(concat("'", file.string(), "' has ", csv.header().size(),
                            " columns (it must have ", kIdColumn,
                            " and one that names the person); delete the others"));
  return csv.header()[1 - id_column];
}

}  // namespace

const std::vector<std::string>& rsna_classes() {
  static const std::vector<std::string> names{"Normal", "No Lung Opacity / Not Normal",
                                              "Lung Opacity"};
  return names;
}

ImageLabels read_rsna_labels(const std::filesystem::path& classes,
                             const std::filesystem::path& targets,
                             const std::filesystem::path& persons) {
  const Rows rows = read_classes(classes);
  const auto with_target = check_targets(targets, rows);
  ImageLabels labels;
  std::vector<std::string> unchecked, without_class;
  for (const auto& [id, row] : rows) {
    labels.images.push_back({id, "", row.label});
    labels.rows.emplace(id, row.where);
    if (!with_target.contains(id)) unchecked.push_back(excerpt(id));
  }
  for (const auto& [id, target] : with_target)
    if (!rows.contains(id)) without_class.push_back(excerpt(id));
  if (!unchecked.empty())
    labels.notes.push_back(concat(unchecked.size(), " patients have no row in '",
                                  targets.filename().string(), "': their class is not checked (",
                                  first_few(unchecked), ")"));
  if (!without_class.empty())
    labels.notes.push_back(concat(without_class.size(), " patients have no row in '",
                                  classes.filename().string(), "' and are left out (",
                                  first_few(without_class), ")"));
  assign_groups(labels, persons, kIdColumn, persons.empty() ? "" : person_column(persons),
                {"person", "persons"});
  return labels;
}

}  // namespace sweep::trainer
