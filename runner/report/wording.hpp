#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runner/report/table.hpp"

namespace sweep::report {

/// What stands in the place of a value that is not there.
inline constexpr char kMissing[] = "missing";

/// "84.38". An absent value is `otherwise`.
std::string percent(const std::optional<double>& value, const std::string& otherwise);

/// A value of the spec: text as it is, numbers in their shortest form, lists joined by ';', null
/// empty.
std::string value_text(const Json& value);

/// The seeds that the sweep asks for: "0;1".
std::string seeds_text(const Row& row);

/// What a reader must know beside the numbers, one sentence or line each: images and seeds, the
/// control row, every attack with its options and what it did, and what is missing.
std::vector<std::string> notes(const Table& table);

}  // namespace sweep::report
