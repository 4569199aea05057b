#include "runner/report/grouping.hpp"

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/report/wording.hpp"

namespace sweep::report {
namespace {

void check_keys(const Plan& plan, const std::vector<std::string>& keys) {
  std::set<std::string> known;
  for (const auto& row : plan.rows)
    for (const auto& trial : row.trials)
      for (const auto& [key, value] : leaves(trial.spec)) known.insert(key);
  const std::vector<std::string> names(known.begin(), known.end());
  for (const auto& key : keys)
    if (!known.contains(key))
      throw InputError(concat("unknown key '", key, "' for --group-by (no trial of '", plan.name,
                              "' has it)", suggestion(key, names)));
}

/// Trials that show the same values, and the old rows that they come from.
struct Group {
  Plan::Row row;
  std::set<std::size_t> sources;
};

/// "training.seed=0, model.name=resnet18"
std::string label_of(const std::map<std::string, Json>& values,
                     const std::vector<std::string>& keys) {
  std::vector<std::string> parts;
  for (const auto& key : keys) {
    const Json& value = values.at(key);
    parts.push_back(concat(key, "=", value.is_null() ? "(none)" : value_text(value)));
  }
  return join(parts, ", ");
}

}  // namespace

Plan grouped(Plan plan, const std::vector<std::string>& keys) {
  check_keys(plan, keys);
  std::vector<Group> groups;
  std::map<std::string, std::size_t> group_of;
  for (std::size_t r = 0; r < plan.rows.size(); ++r)
    for (const auto& trial : plan.rows[r].trials) {
      const auto all = leaves(trial.spec);
      std::map<std::string, Json> values;
      for (const auto& key : keys) values[key] = all.contains(key) ? all.at(key) : Json();
      const std::string label = label_of(values, keys);
      const auto [known, is_new] = group_of.emplace(label, groups.size());
      if (is_new) groups.push_back({Plan::Row{.label = label, .keys = values}, {}});
      groups[known->second].row.trials.push_back(trial);
      groups[known->second].sources.insert(r);
    }
  std::vector<Plan::Row> rows;
  for (auto& [row, sources] : groups) {
    const Plan::Row& old = plan.rows[*sources.begin()];
    if (sources.size() == 1 && row.trials.size() == old.trials.size()) {
      row.published = old.published;
      row.control = old.control;
      row.baseline = old.baseline;
    }
    rows.push_back(std::move(row));
  }
  plan.rows = std::move(rows);
  plan.row_keys = keys;
  return plan;
}

}  // namespace sweep::report
