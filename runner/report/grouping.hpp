#pragma once

#include <string>
#include <vector>

#include "runner/report/plan_file.hpp"

namespace sweep::report {

/// The plan with one row for every combination of values of the dotted keys ("training.seed",
/// "model.name"), in the order of their first trial: all trials that have them, of whatever row.
/// A row that ends up with exactly the trials of one old row keeps its published values and flags.
/// @throws InputError for a key that no trial has
Plan grouped(Plan plan, const std::vector<std::string>& keys);

}  // namespace sweep::report
