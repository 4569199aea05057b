#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runner/report/table.hpp"
#include "runner/report/view.hpp"

namespace sweep::report {

/// What stands in the place of a value that is not there.
inline constexpr char kMissing[] = "missing";

/// "84.38". An absent value is `otherwise`.
std::string percent(const std::optional<double>& value, const std::string& otherwise);

/// "+0.10", "-9.28", "0.00".
std::string signed_percent(double value);

/// A value of the metric: "84.38" percent, "0.2500" for a distance.
std::string metric_text(Metric metric, double value);

/// "[82.10, 86.41]"
std::string interval_text(Metric metric, const Interval& interval);

/// What the view shows of an estimate: "84.38 ± 0.52 [82.10, 86.41]"; kMissing where it is not
/// there.
std::string estimate_text(const std::optional<Estimate>& estimate, const View& view);

/// The same for a cell: empty where the metric makes no sense, such as the success of no attack.
std::string shown_text(const Cell& cell, const Column& column, const View& view);

/// A value of the spec: text as it is, numbers in their shortest form, lists joined by ';', null
/// empty.
std::string value_text(const Json& value);

/// The same for an option of an attack, with pixel steps as people write them: 4/255.
std::string option_text(const Json& value);

/// The seeds that the sweep asks for: "0;1".
std::string seeds_text(const Row& row);

/// The row's label, marked when it is a control row.
std::string marked_label(const Row& row, const std::string& mark);

}  // namespace sweep::report
