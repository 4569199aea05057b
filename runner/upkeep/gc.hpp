#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "storage/store.hpp"

namespace sweep::upkeep {

struct GcOptions {
  std::vector<std::string> forget;        ///< runs whose plans keep nothing, and whose files go
  std::optional<double> logs_older_than;  ///< days
};

/// Something that no sweep of the store needs.
struct Garbage {
  std::string what;  ///< "model", "checkpoint", "damaged", "temporary", "log", "run" (its files)
  std::filesystem::path path;
  std::uintmax_t bytes = 0;
};

/// Artifacts and checkpoints that no plan of the store names, checkpoints of finished artifacts,
/// what was set aside, what was left half written. Only what a sweep makes; follows no links.
/// @throws InputError when there is no store, for a run to be forgotten that is not there, and when
/// a plan can't be read or is behind a link: what it needs would be taken for garbage
std::vector<Garbage> find_garbage(const storage::Store& store, const GcOptions& options);

/// Deletes what find_garbage has found, and what is then left empty of the folders of forgotten
/// runs. Files there that no sweep has made stay.
/// @throws Error{storage} naming what can't be deleted; the rest of the list is then still there
void remove_garbage(const storage::Store& store, const GcOptions& options,
                    const std::vector<Garbage>& garbage);

}  // namespace sweep::upkeep
