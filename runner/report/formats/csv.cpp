#include <algorithm>
#include <set>

#include "core/text.hpp"
#include "runner/report/format.hpp"
#include "runner/report/wording.hpp"

namespace sweep::report {
namespace {

using Fields = std::vector<std::string>;

/// A field as RFC 4180 wants it.
std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string text = "\"";
  for (const char letter : field) text += letter == '"' ? "\"\"" : std::string(1, letter);
  return text + "\"";
}

std::string line(Fields fields) {
  std::transform(fields.begin(), fields.end(), fields.begin(), quoted);
  return join(fields, ",") + "\n";
}

/// "defence.name" -> "defence", "defence.lambda_n" -> "lambda_n".
std::string short_key(const std::string& key) {
  const auto parts = split(key, '.');
  const bool is_name = parts.size() > 1 && parts.back() == "name";
  return is_name ? parts[parts.size() - 2] : parts.back();
}

/// The short names of the row keys; the whole key where the short one would be there twice.
Fields key_names(const Fields& keys) {
  std::multiset<std::string> taken{"row", "control", "seeds", "n", "images"};
  for (const auto& key : keys) taken.insert(short_key(key));
  Fields names;
  for (const auto& key : keys)
    names.push_back(taken.count(short_key(key)) > 1 ? key : short_key(key));
  return names;
}

std::string header(const Table& table) {
  Fields fields{"row", "control"};
  for (auto& name : key_names(table.row_keys)) fields.push_back(std::move(name));
  fields.insert(fields.end(), {"seeds", "n", "images"});
  for (const auto& column : table.columns) {
    for (const char* suffix : {"", "_published", "_difference"})
      fields.push_back(column.label + suffix);
    if (!column.attack.is_null()) fields.push_back(column.label + "_l2");
  }
  return line(std::move(fields));
}

std::string l2_text(const Column& column) {
  return column.effect ? fixed(column.effect->l2, 4) : kMissing;
}

std::string row_line(const Table& table, const Row& row) {
  Fields fields{row.label, row.control ? "true" : "false"};
  for (const auto& key : row.keys) fields.push_back(value_text(key));
  fields.push_back(seeds_text(row));
  fields.push_back(concat(seed_count(row)));
  fields.push_back(row.images ? concat(*row.images) : kMissing);
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    fields.push_back(percent(row.cells[i].value, kMissing));
    fields.push_back(percent(row.cells[i].published, ""));
    fields.push_back(percent(difference(row.cells[i]), ""));
    if (!table.columns[i].attack.is_null()) fields.push_back(l2_text(table.columns[i]));
  }
  return line(std::move(fields));
}

std::string csv(const Table& table) {
  std::string text = header(table);
  for (const auto& row : table.rows) text += row_line(table, row);
  return text;
}

const bool registered = FormatRegistry::instance().add(
    "csv", {"comma-separated values, one line for each row of the table", {}, csv});

}  // namespace
}  // namespace sweep::report
