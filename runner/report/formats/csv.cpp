#include <algorithm>
#include <iomanip>
#include <set>
#include <sstream>

#include "core/text.hpp"
#include "core/text_table.hpp"
#include "runner/report/format.hpp"
#include "runner/report/wording.hpp"

namespace sweep::report::csv_format {
namespace {

using Fields = std::vector<std::string>;

std::string line(Fields fields) {
  std::transform(fields.begin(), fields.end(), fields.begin(), csv_field);
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
  std::multiset<std::string> taken{"row", "control", "seeds", "n", "images", "group", "baseline"};
  for (const auto& key : keys) taken.insert(short_key(key));
  Fields names;
  for (const auto& key : keys)
    names.push_back(taken.count(short_key(key)) > 1 ? key : short_key(key));
  return names;
}

bool is_shown(const Column& column, Metric metric) {
  return metric == Metric::accuracy || !column.attack.is_null();
}

std::string number(const std::optional<double>& value) {
  if (!value) return "";
  std::ostringstream text;
  text << std::setprecision(6) << *value;
  return text.str();
}

/// "cw", "cw_success": the values of a metric, then its interval, its images and its spread.
void add_metric_names(const std::string& label, Metric metric, Fields& fields) {
  const std::string name = label + info(metric).csv_suffix;
  // These two stand in front.
  if (metric != Metric::accuracy && metric != Metric::mean_l2) fields.push_back(name);
  for (const char* suffix : {"_low", "_high"})
    if (info(metric).proportion) fields.push_back(name + suffix);
  for (const char* suffix : {"_n", "_std", "_ci95_low", "_ci95_high"})
    fields.push_back(name + suffix);
}

void add_metric(const Cell& cell, Metric metric, Fields& fields) {
  const auto& estimate = cell[metric];
  const auto end = [](const std::optional<Interval>& interval, double Interval::*side) {
    return interval ? number((*interval).*side) : "";
  };
  const Estimate nothing;
  const Estimate& known = estimate ? *estimate : nothing;
  if (metric != Metric::accuracy && metric != Metric::mean_l2)
    fields.push_back(estimate                     ? metric_text(metric, known.value)
                     : is_undefined(cell, metric) ? ""
                                                  : kMissing);
  if (info(metric).proportion) {
    fields.push_back(end(known.interval, &Interval::low));
    fields.push_back(end(known.interval, &Interval::high));
  }
  fields.push_back(estimate ? concat(known.n) : "");
  fields.push_back(number(known.std));
  fields.push_back(end(known.ci95, &Interval::low));
  fields.push_back(end(known.ci95, &Interval::high));
}

/// "cw_minus_baseline", its interval, and the p of McNemar's test where there is one pair of seeds.
void add_comparison_names(const std::string& label, const std::string& reference, Fields& fields) {
  for (const char* suffix : {"", "_low", "_high", "_p"})
    fields.push_back(concat(label, "_minus_", reference, suffix));
}

void add_comparison(const std::optional<Comparison>& comparison, Fields& fields) {
  if (!comparison) {
    fields.insert(fields.end(), 4, "");
    return;
  }
  fields.push_back(percent(comparison->difference, ""));
  fields.push_back(number(comparison->interval.low));
  fields.push_back(number(comparison->interval.high));
  fields.push_back(comparison->pairs.size() == 1 ? number(comparison->pairs.front().mcnemar.p)
                                                 : "");
}

std::string header(const Table& table) {
  Fields fields{"row", "control"};
  for (auto& name : key_names(table.row_keys)) fields.push_back(std::move(name));
  fields.insert(fields.end(), {"seeds", "n", "images", "group", "baseline"});
  for (const auto& column : table.columns) {
    for (const char* suffix : {"", "_published", "_difference"})
      fields.push_back(column.label + suffix);
    if (!column.attack.is_null()) fields.push_back(column.label + "_l2");
    fields.push_back(column.label + "_published_inside");
    for (std::size_t i = 0; i < kMetrics; ++i)
      if (is_shown(column, static_cast<Metric>(i)))
        add_metric_names(column.label, static_cast<Metric>(i), fields);
    add_comparison_names(column.label, "baseline", fields);
    add_comparison_names(column.label, "control", fields);
  }
  return line(std::move(fields));
}

void add_cell(const Cell& cell, const Column& column, Fields& fields) {
  fields.push_back(percent(cell.value(), kMissing));
  fields.push_back(percent(cell.published, ""));
  const auto change = difference(cell);
  fields.push_back(change ? percent(change, "") : "");
  if (!column.attack.is_null())
    fields.push_back(cell[Metric::mean_l2] ? fixed(cell[Metric::mean_l2]->value, 4) : kMissing);
  const auto inside = published_is_inside(cell);
  fields.emplace_back(!inside ? "" : *inside ? "true" : "false");
  for (std::size_t i = 0; i < kMetrics; ++i)
    if (is_shown(column, static_cast<Metric>(i))) add_metric(cell, static_cast<Metric>(i), fields);
  add_comparison(cell.against_baseline, fields);
  add_comparison(cell.against_control, fields);
}

std::string row_line(const Table& table, const Row& row) {
  Fields fields{row.label, row.control ? "true" : "false"};
  for (const auto& key : row.keys) fields.push_back(value_text(key));
  fields.push_back(seeds_text(row));
  fields.push_back(concat(seed_count(row)));
  fields.push_back(row.images ? concat(*row.images) : kMissing);
  fields.push_back(row.group);
  fields.emplace_back(row.baseline ? "true" : "false");
  for (std::size_t i = 0; i < row.cells.size(); ++i)
    add_cell(row.cells[i], table.columns[i], fields);
  return line(std::move(fields));
}

std::string csv(std::span<const Table> tables, const View&) {
  std::string text;
  for (const auto& table : tables) {
    text += (text.empty() ? "" : "\n") + header(table);
    for (const auto& row : table.rows) text += row_line(table, row);
  }
  return text;
}

const bool registered = FormatRegistry::instance().add(
    "csv",
    {"comma-separated values, one line for each row, every metric a column", {}, {csv, {}, false}});

}  // namespace
}  // namespace sweep::report::csv_format
