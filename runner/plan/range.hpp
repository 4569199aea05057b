#pragma once

#include <cstddef>
#include <vector>

#include "core/document.hpp"
#include "core/json.hpp"

namespace sweep::plan {

/// More trials than a plan can hold in reasonable memory: an error before they are made.
inline constexpr std::size_t kMaxTrials = 100'000;

/// A table that stands for values: {from=, to=, step=} or {from=, to=, num=, scale=}, whole or with
/// a mistake in it.
bool is_range(const Json& value);

/// The values of a range, both ends included. Equal steps are counted exactly, as fractions of
/// integers: 0.1, 0.2, 0.3 and "1/255", "2/255", "3/255" are what a list of them would be. Integers
/// stay integers. scale = "log": equal ratios, with 12 digits. @throws InputError
std::vector<Json> range_values(const Document& document, const Json& range,
                               const std::string& path);

/// The ends of a range without steps, to draw from.
struct Interval {
  double from = 0, to = 0;
  bool logarithmic = false;
  bool integers = false;

  /// The value at a share u in [0, 1) of the interval. Each integer has its own part of it.
  Json at(double u) const;
};

/// {from=, to=, scale=}. @throws InputError
Interval read_interval(const Document& document, const Json& range, const std::string& path);

}  // namespace sweep::plan
