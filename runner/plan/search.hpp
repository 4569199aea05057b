#pragma once

#include <optional>

#include "core/document.hpp"
#include "core/options.hpp"
#include "runner/plan/grid.hpp"
#include "runner/scheduling/early_stopping.hpp"

namespace sweep::plan {

/// [search] without its space.
struct SearchOptions : scheduling::EarlyStoppingOptions {
  std::string method = "none";
  std::int64_t trials = 0;
  std::int64_t seed = 0;
  bool force = false;
};

const Schema& search_schema();

/// [search], checked and completed; the defaults where there is none. @throws InputError
SearchOptions resolve_search(const Document& document);

/// The draws of [search] as one axis: `trials` different combinations of values of [search.space],
/// which follow from the seed, the keys and their ranges alone. More trials or more keys change
/// none of the earlier draws of a key. Nothing where nothing is searched.
/// @throws InputError, also where the space has fewer combinations
std::optional<Axis> draw_axis(const Document& document);

}  // namespace sweep::plan
