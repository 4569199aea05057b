#pragma once

#include <optional>

#include "runner/report/plan_file.hpp"
#include "runner/report/table.hpp"

namespace sweep::report {

/// A sweep that makes what the empty cells need and nothing else: one trial for each seed that
/// lacks a cell, with every setting said, and the columns in which one is lacking. Artifacts are
/// named by resolved specs alone, so it fills the cells of the plan's own table.
/// @param table  load_table of the plan, as it is (not grouped)
/// @return       for to_toml; nothing when no cell is missing
std::optional<Json> filling_sweep(const Plan& plan, const Table& table);

}  // namespace sweep::report
