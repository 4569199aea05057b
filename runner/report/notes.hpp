#pragma once

#include <string>
#include <vector>

#include "runner/report/table.hpp"
#include "runner/report/view.hpp"

namespace sweep::report {

/// What a reader must know beside the numbers, one sentence or line each: what is shown and over
/// what, the intervals, the control row, every attack with its options, its attacker and what it
/// did, the depth of the pixels, what the datasets skipped, and what is missing.
std::vector<std::string> notes(const Table& table, const View& view);

}  // namespace sweep::report
