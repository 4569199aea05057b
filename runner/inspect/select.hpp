#pragma once

#include <string>

#include "runner/inspect/plan.hpp"

namespace sweep::inspect {

/// The index in plan.trials of the trial that `name` means: its number, its label, the label of a
/// row that has no other trial, or the first digits (4 or more) of its model's hash.
/// @throws InputError when none or several are meant, with those that come near
std::size_t find_trial(const Plan& plan, const std::string& name);

}  // namespace sweep::inspect
