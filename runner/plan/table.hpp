#pragma once

#include "core/document.hpp"
#include "runner/plan/sweep.hpp"

namespace sweep::plan {

/// [table] with its columns and rows, matched with the sweep's trials and attacks. What the file
/// does not say is filled in: columns for clean images and every attack, one row for every trial.
/// White-box columns are left out where table.white_box is false.
/// @throws InputError for duplicate rows, rows without trials, trials without a row, unknown names.
Table resolve_table(const Document& document, const Json& table, const Sweep& sweep,
                    const Catalogue& catalogue);

}  // namespace sweep::plan
