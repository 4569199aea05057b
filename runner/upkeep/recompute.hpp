#pragma once

#include <functional>
#include <string>
#include <vector>

#include "storage/store.hpp"

namespace sweep::upkeep {

/// An artifact that was made once more.
struct Recomputed {
  storage::ArtifactId id;
  std::string problem;  ///< empty: it came out bit for bit the same
};

/// Makes a random sample of evaluations again, each from the inputs that lie in the store, in a
/// folder of its own that is removed afterwards, and compares. The store is not changed.
/// @param count  at most so many @param threads  of the executor; bits may depend on them
/// @throws InputError for a plan that can't be used, Error
std::vector<Recomputed> recompute_evaluations(
    const storage::Store& store, std::size_t count, int threads,
    const std::function<void(const storage::ArtifactId&)>& begins);

}  // namespace sweep::upkeep
