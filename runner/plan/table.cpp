#include "runner/plan/table.hpp"

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::plan {
namespace {

using Leaves = std::map<std::string, Json>;

[[noreturn]] void refuse(const Document& document, const std::string& key,
                         const std::string& what) {
  throw InputError(concat(document.location_of(key), ": ", key, " ", what));
}

/// Only `known` keys in the table at `path`.
void check_keys(const Document& document, const Json& table, const std::string& path,
                const std::vector<std::string>& known) {
  if (!table.is_object()) refuse(document, path, "must be a table");
  for (const auto& [key, value] : table.items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      throw InputError(concat(document.location_of(concat(path, ".", key)), ": unknown key ", path,
                              ".", key, suggestion(key, known)));
}

std::string text_at(const Document& document, const Json& table, const std::string& path,
                    const std::string& key, const std::string& otherwise) {
  if (!table.contains(key)) return otherwise;
  if (!table.at(key).is_string()) refuse(document, concat(path, ".", key), "must be a text");
  return table.at(key).get<std::string>();
}

Json list_at(const Document& document, const Json& table, const std::string& path,
             const std::string& key) {
  if (!table.contains(key)) return Json::array();
  if (!table.at(key).is_array()) refuse(document, concat(path, ".", key), "must be a list");
  return table.at(key);
}

std::string required_label(const Document& document, const Json& table, const std::string& path,
                           std::set<std::string>& taken) {
  const std::string label = text_at(document, table, path, "label", "");
  if (label.empty()) refuse(document, path, "has no label; give it one");
  if (!taken.insert(label).second)
    refuse(document, path + ".label",
           concat("= \"", label, "\" is there twice; rename or delete one"));
  return label;
}

std::vector<Column> read_columns(const Document& document, const Json& table, const Sweep& sweep) {
  const Json list = list_at(document, table, "table", "column");
  std::vector<std::string> attacks;
  for (const auto& [key, attack] : sweep.attacks) attacks.push_back(key);
  std::vector<Column> columns;
  std::set<std::string> labels, used;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string path = concat("table.column[", i, "]");
    check_keys(document, list[i], path, {"label", "attack"});
    Column column{required_label(document, list[i], path, labels),
                  text_at(document, list[i], path, "attack", "")};
    if (!column.attack.empty() && !sweep.attacks.contains(column.attack))
      refuse(document, path + ".attack",
             concat("= \"", column.attack, "\" is no table of [attacks]",
                    suggestion(column.attack, attacks)));
    used.insert(column.attack);
    columns.push_back(std::move(column));
  }
  if (columns.empty()) {
    columns.push_back({"clean", ""});
    for (const auto& key : attacks) columns.push_back({key, key});
    return columns;
  }
  for (const auto& key : attacks)
    if (!used.contains(key))
      refuse(document, concat("attacks.", key),
             "is in no column of the table (nothing would use it); add a "
             "[[table.column]] with it or delete it");
  return columns;
}

/// 1 and 1.0 are equal.
bool same_value(const Json& resolved, const Json& written) {
  if (resolved.is_number() && written.is_number())
    return resolved.get<double>() == written.get<double>();
  return resolved == written;
}

std::vector<std::string> known_keys(const std::vector<Leaves>& trials) {
  std::set<std::string> keys;
  for (const auto& trial : trials)
    for (const auto& [key, value] : trial) keys.insert(key);
  return {keys.begin(), keys.end()};
}

void check_trial_key(const Document& document, const std::string& path, const std::string& key,
                     const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), key) == known.end())
    throw InputError(concat(document.location_of(path), ": unknown key ", key, " (no trial has it)",
                            suggestion(key, known)));
}

std::vector<std::size_t> matching(const std::vector<Leaves>& trials, const Leaves& where) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const bool all = std::all_of(where.begin(), where.end(), [&](const auto& condition) {
      const auto leaf = trials[i].find(condition.first);
      return leaf != trials[i].end() && same_value(leaf->second, condition.second);
    });
    if (all) found.push_back(i);
  }
  return found;
}

std::map<std::string, double> read_published(const Document& document, const Json& row,
                                             const std::string& path,
                                             const std::vector<Column>& columns) {
  std::map<std::string, double> published;
  if (!row.contains("published")) return published;
  std::vector<std::string> labels;
  for (const auto& column : columns) labels.push_back(column.label);
  check_keys(document, row.at("published"), path + ".published", labels);
  for (const auto& [label, value] : row.at("published").items()) {
    const bool percent =
        value.is_number() && value.get<double>() >= 0 && value.get<double>() <= 100;
    if (!percent)
      refuse(document, concat(path, ".published.", label),
             concat("= ", value.dump(), " is no accuracy; give percent in [0, 100]"));
    published[label] = value.get<double>();
  }
  return published;
}

Row read_row(const Document& document, const Json& json, const std::string& path,
             const std::vector<Leaves>& trials, std::set<std::string>& labels,
             const std::vector<Column>& columns) {
  check_keys(document, json, path, {"label", "where", "published", "control"});
  Row row{.label = required_label(document, json, path, labels)};
  if (json.contains("control")) {
    if (!json.at("control").is_boolean())
      refuse(document, path + ".control", "must be true or false");
    row.control = json.at("control").get<bool>();
  }
  if (!json.contains("where") || !json.at("where").is_object() || json.at("where").empty())
    refuse(document, path,
           "has no where (it says which trials the row shows); write where = "
           "{ \"defence.name\" = \"none\" }");
  const Leaves where = flatten(json.at("where"));
  for (const auto& [key, value] : where)
    check_trial_key(document, concat(path, ".where.", key), key, known_keys(trials));
  row.trials = matching(trials, where);
  if (row.trials.empty())
    refuse(document, path + ".where",
           "matches no trial of the grid (the row would stay empty); correct it or "
           "add the trial with [[include]]");
  row.published = read_published(document, json, path, columns);
  return row;
}

/// Rows must not share trials, and every trial has a row.
void check_cover(const Document& document, const Table& table, const Sweep& sweep) {
  std::map<std::size_t, std::size_t> row_of;
  for (std::size_t r = 0; r < table.rows.size(); ++r)
    for (const auto trial : table.rows[r].trials) {
      const auto [other, is_new] = row_of.emplace(trial, r);
      if (!is_new)
        refuse(document, concat("table.row[", r, "].where"),
               concat("matches a trial that row \"", table.rows[other->second].label,
                      "\" shows already (a duplicate row); say more in where, or delete one"));
    }
  for (std::size_t i = 0; i < sweep.trials.size(); ++i)
    if (!row_of.contains(i))
      throw InputError(
          concat(document.location_of("table"), ": no row of the table shows the trial ",
                 sweep.trials[i].defence.dump(),
                 " with training.seed = ", sweep.trials[i].training.at("seed").dump(),
                 " (it would be trained and never shown); add a [[table.row]] or leave the "
                 "trial out"));
}

std::vector<Row> rows_for_all(const Sweep& sweep, const std::vector<Leaves>& trials) {
  const auto varying = varying_keys(sweep.trials);
  std::vector<Row> rows;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    std::vector<std::string> parts;
    for (const auto& [key, value] : trials[i])
      if (varying.contains(key))
        parts.push_back(
            concat(key, "=", value.is_string() ? value.get<std::string>() : value.dump()));
    rows.push_back({.label = parts.empty() ? "base" : join(parts, " "), .trials = {i}});
  }
  return rows;
}

}  // namespace

Table resolve_table(const Document& document, const Json& json, const Sweep& sweep) {
  check_keys(document, json, "table", {"title", "row_keys", "column", "row"});
  std::vector<Leaves> trials;
  for (const auto& trial : sweep.trials) trials.push_back(flatten(trial.to_json()));
  Table table{.title = text_at(document, json, "table", "title", sweep.name)};
  const Json row_keys = list_at(document, json, "table", "row_keys");
  for (std::size_t i = 0; i < row_keys.size(); ++i) {
    const std::string path = concat("table.row_keys[", i, "]");
    if (!row_keys[i].is_string())
      refuse(document, path, "must be a dotted key such as \"training.seed\"");
    check_trial_key(document, path, row_keys[i].get<std::string>(), known_keys(trials));
    table.row_keys.push_back(row_keys[i].get<std::string>());
  }
  table.columns = read_columns(document, json, sweep);
  const Json rows = list_at(document, json, "table", "row");
  std::set<std::string> labels;
  for (std::size_t i = 0; i < rows.size(); ++i)
    table.rows.push_back(
        read_row(document, rows[i], concat("table.row[", i, "]"), trials, labels, table.columns));
  if (table.rows.empty()) {
    table.rows = rows_for_all(sweep, trials);
  } else {
    check_cover(document, table, sweep);
  }
  return table;
}

}  // namespace sweep::plan
