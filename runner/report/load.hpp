#pragma once

#include <string>
#include <vector>

#include "runner/report/table.hpp"
#include "storage/store.hpp"

namespace sweep::report {

/// The sweeps that ran in the store (those with a plan), in alphabetical order.
/// @throws InputError when the folder is missing or no sweep ran there.
std::vector<std::string> sweep_names(const storage::Store& store);

/// The table of a sweep, filled from whatever artifacts are there. Only reads: damaged artifacts
/// stay where they are, count as missing and are named in Table::problems.
/// @throws InputError when the sweep's plan.json can't be used.
Table load_table(const storage::Store& store, const std::string& sweep_name);

}  // namespace sweep::report
