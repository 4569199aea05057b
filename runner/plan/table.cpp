#include "runner/plan/table.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/plan/conditions.hpp"
#include "runner/plan/grammar.hpp"

namespace sweep::plan {
namespace {

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

bool flag_at(const Document& document, const Json& table, const std::string& path,
             const std::string& key, bool otherwise) {
  if (!table.contains(key)) return otherwise;
  if (!table.at(key).is_boolean())
    refuse(document, concat(path, ".", key), "must be true or false");
  return table.at(key).get<bool>();
}

template <class Map>
std::vector<std::string> keys_of(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

/// One of `known`, or "" where that is the default. @param what  they are, for the message
std::string name_at(const Document& document, const Json& table, const std::string& path,
                    const std::string& key, const std::vector<std::string>& known,
                    const std::string& what, const std::string& otherwise = "") {
  const std::string name = text_at(document, table, path, key, otherwise);
  const bool left_open = name.empty() && otherwise.empty();
  if (!left_open && std::find(known.begin(), known.end(), name) == known.end())
    refuse(document, concat(path, ".", key),
           concat("= \"", name, "\" is no ", what, suggestion(name, known)));
  return name;
}

const std::vector<std::string> kPixels{"float32", "uint8"};

Column read_column(const Document& document, const Json& json, const std::string& path,
                   const Sweep& sweep, const std::string& pixels, std::set<std::string>& labels) {
  check_keys(document, json, path, keys_of_section("table.column"));
  auto attackers = keys_of(sweep.attackers);
  attackers.emplace_back(kSelf);
  const auto attacks = keys_of(sweep.attacks);
  Column column{
      .label = required_label(document, json, path, labels),
      .attack = name_at(document, json, path, "attack", attacks, "table of [attacks]"),
      .attacker = name_at(document, json, path, "attacker", attackers, "table of [attackers]"),
      .pixels = name_at(document, json, path, "pixels", kPixels, "way to hold pixels", pixels)};
  for (const char* key : {"attacker", "pixels"})
    if (column.is_clean() && json.contains(key))
      refuse(document, concat(path, ".", key),
             "says how attacked images are made or read, but the column has no attack; give it one "
             "or leave this out");
  return column;
}

/// All columns that the file declares, white-box ones too.
std::vector<Column> read_columns(const Document& document, const Json& table, const Sweep& sweep) {
  const Json list = list_at(document, table, "table", "column");
  const std::string pixels =
      name_at(document, table, "table", "pixels", kPixels, "way to hold pixels", "float32");
  std::vector<Column> columns;
  std::set<std::string> labels;
  for (std::size_t i = 0; i < list.size(); ++i)
    columns.push_back(
        read_column(document, list[i], concat("table.column[", i, "]"), sweep, pixels, labels));
  if (columns.empty()) {
    columns.push_back({.label = "clean"});
    for (const auto& [key, attack] : sweep.attacks)
      columns.push_back({.label = key, .attack = key, .pixels = pixels});
  }
  return columns;
}

/// Every attack is in a column or trains a preprocessor, every attacker is in a column.
void check_use(const Document& document, const std::vector<Column>& columns, const Sweep& sweep,
               const Catalogue& catalogue) {
  std::set<std::string> attacks, attackers;
  for (const auto& column : columns) {
    attacks.insert(column.attack);
    attackers.insert(column.attacker);
  }
  for (const auto& key : training_attacks(sweep, catalogue)) attacks.insert(key);
  const auto check = [&](const auto& all, const std::set<std::string>& used, const char* section) {
    for (const auto& [key, value] : all)
      if (!used.contains(key))
        refuse(
            document, concat(section, ".", key),
            "is in no column of the table (nothing would use it); add a [[table.column]] with it "
            "or delete it");
  };
  check(sweep.attacks, attacks, "attacks");
  check(sweep.attackers, attackers, "attackers");
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
             TrialIndex& trials, std::set<std::string>& labels,
             const std::vector<Column>& columns) {
  check_keys(document, json, path, keys_of_section("table.row"));
  Row row{.label = required_label(document, json, path, labels),
          .group = text_at(document, json, path, "group", ""),
          .control = flag_at(document, json, path, "control", false),
          .baseline = flag_at(document, json, path, "baseline", false)};
  if (row.control && row.baseline)
    refuse(document, path,
           "is both control and baseline (rows are compared with each); choose one");
  if (!json.contains("where") || !json.at("where").is_object() || json.at("where").empty())
    refuse(document, path,
           "has no where (it says which trials the row shows); write where = "
           "{ \"defence.name\" = \"none\" }");
  row.trials = trials.matching(read_conditions(document, json.at("where"), path + ".where"));
  row.where = json.at("where");
  if (row.trials.empty())
    refuse(document, path + ".where",
           "matches no trial of the grid (the row would stay empty); correct it or "
           "add the trial with [[include]]");
  row.published = read_published(document, json, path, columns);
  return row;
}

/// Rows must not share trials, and every trial has a row.
void check_cover(const Document& document, const Table& table, const Sweep& sweep) {
  std::unordered_map<std::size_t, std::size_t> row_of;
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

std::vector<Row> rows_for_all(const Sweep& sweep) {
  const auto varying = varying_keys(sweep.trials);
  std::vector<Row> rows;
  for (std::size_t i = 0; i < sweep.trials.size(); ++i) {
    std::vector<std::string> parts;
    Json where = Json::object();
    for (const auto& key : varying)
      if (const Json* value = sweep.trials[i].find(key)) {
        where[key] = *value;
        parts.push_back(
            concat(key, "=", value->is_string() ? value->get<std::string>() : value->dump()));
      }
    if (where.empty()) where["training.seed"] = sweep.trials[i].training.at("seed");
    rows.push_back({.label = parts.empty() ? "base" : join(parts, " "),
                    .trials = {i},
                    .where = std::move(where)});
  }
  return rows;
}

}  // namespace

Table resolve_table(const Document& document, const Json& json, const Sweep& sweep,
                    const Catalogue& catalogue) {
  check_keys(document, json, "table", keys_of_section("table"));
  TrialIndex trials(sweep.trials);
  Table table{.title = text_at(document, json, "table", "title", sweep.name)};
  const Json row_keys = list_at(document, json, "table", "row_keys");
  for (std::size_t i = 0; i < row_keys.size(); ++i) {
    const std::string path = concat("table.row_keys[", i, "]");
    if (!row_keys[i].is_string())
      refuse(document, path, "must be a dotted key such as \"training.seed\"");
    trials.check_key(document.location_of(path), row_keys[i].get<std::string>());
    table.row_keys.push_back(row_keys[i].get<std::string>());
  }
  table.columns = read_columns(document, json, sweep);
  const Json rows = list_at(document, json, "table", "row");
  std::set<std::string> labels;
  for (std::size_t i = 0; i < rows.size(); ++i)
    table.rows.push_back(
        read_row(document, rows[i], concat("table.row[", i, "]"), trials, labels, table.columns));
  if (table.rows.empty()) {
    table.rows = rows_for_all(sweep);
  } else {
    check_cover(document, table, sweep);
  }
  check_use(document, table.columns, sweep, catalogue);
  if (!flag_at(document, json, "table", "white_box", true))
    std::erase_if(table.columns, [](const Column& column) { return column.is_white_box(); });
  return table;
}

}  // namespace sweep::plan
