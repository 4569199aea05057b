#pragma once

#include <string>
#include <vector>

#include "runner/report/artifacts.hpp"
#include "runner/report/plan_file.hpp"
#include "runner/report/table.hpp"
#include "storage/store.hpp"

namespace sweep::report {

/// The sweeps that ran in the store (those with a plan), in alphabetical order.
/// @throws InputError when the folder is missing or no sweep ran there.
std::vector<std::string> sweep_names(const storage::Store& store);

/// @throws InputError when the sweep's plan.json can't be used.
Plan load_plan(const storage::Store& store, const std::string& sweep_name);

/// The plan's table, filled from whatever artifacts are there. Only reads: damaged artifacts stay
/// where they are, count as missing and are named in Table::problems.
/// @param artifacts  of the store that the plan is from; shared by its tables
Table load_table(const Plan& plan, Artifacts& artifacts);

}  // namespace sweep::report
