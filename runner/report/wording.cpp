#include "runner/report/wording.hpp"

#include <charconv>
#include <cmath>

#include "core/text.hpp"

namespace sweep::report {
namespace {

std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

}  // namespace

std::string percent(const std::optional<double>& value, const std::string& otherwise) {
  if (!value) return otherwise;
  const std::string text = fixed(*value, 2);
  return text == "-0.00" ? "0.00" : text;
}

std::string signed_percent(double value) {
  const std::string text = percent(value, "");
  return text == "0.00" || text.front() == '-' ? text : "+" + text;
}

std::string metric_text(Metric metric, double value) {
  return info(metric).proportion ? percent(value, "") : fixed(value, 4);
}

std::string interval_text(Metric metric, const Interval& interval) {
  return concat("[", metric_text(metric, interval.low), ", ", metric_text(metric, interval.high),
                "]");
}

std::string estimate_text(const std::optional<Estimate>& estimate, const View& view) {
  if (!estimate) return kMissing;
  std::string text = metric_text(view.metric, estimate->value);
  if (view.std)
    text += concat(" ± ", estimate->std ? metric_text(view.metric, *estimate->std) : "-");
  if (view.ci95)
    text += concat(" ", estimate->ci95 ? interval_text(view.metric, *estimate->ci95) : "[-]");
  if (view.intervals && estimate->interval)
    text += concat(" ", interval_text(view.metric, *estimate->interval));
  return text;
}

std::string shown_text(const Cell& cell, const Column& column, const View& view) {
  const bool is_accuracy = view.metric == Metric::accuracy || view.metric == Metric::clean_accuracy;
  if (!is_accuracy && column.attack.is_null()) return "-";
  if (is_undefined(cell, view.metric)) return "-";
  return estimate_text(cell[view.metric], view);
}

std::string value_text(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return shortest(value.get<double>());
  if (!value.is_array()) return value.dump();
  std::vector<std::string> parts;
  for (const auto& part : value) parts.push_back(value_text(part));
  return join(parts, ";");
}

std::string option_text(const Json& value) {
  constexpr std::size_t kLong = 8;
  std::string text = value_text(value);
  if (!value.is_number_float() || text.size() < kLong) return text;
  const double steps = value.get<double>() * 255;
  const bool whole = std::abs(steps - std::round(steps)) < 1e-6 && std::round(steps) != 0;
  return whole ? shortest(std::round(steps)) + "/255" : text;
}

std::string seeds_text(const Row& row) {
  return value_text(Json(row.seeds));
}

std::string marked_label(const Row& row, const std::string& mark) {
  return row.control ? concat(row.label, " ", mark) : row.label;
}

}  // namespace sweep::report
