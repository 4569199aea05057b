#pragma once

#include <string>

#include "runner/plan/sweep.hpp"

namespace sweep::plan {

/// The sweep as a file that makes the same trials, in the same order, with the same artifacts and
/// the same table, whatever defaults and files it was made of: every key is there, and every trial
/// is an [[include]] of what it has other than the first. Attacks and attackers that nothing uses
/// are left out. Paths stay as they are.
std::string resolved_toml(const Sweep& sweep, const Catalogue& catalogue = built_in_catalogue());

}  // namespace sweep::plan
