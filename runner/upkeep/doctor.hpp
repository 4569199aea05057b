#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "runner/upkeep/artifact_check.hpp"
#include "storage/store.hpp"

namespace sweep::upkeep {

/// Something in an output folder that is not as it should be.
struct Finding {
  std::string code;  ///< "damaged", "bad_journal", "died", ...
  std::filesystem::path path;
  std::string message;         ///< what is wrong with it (why it matters)
  std::string remedy;          ///< what mend does, or what the user can do where there is none
  std::function<void()> mend;  ///< empty: nothing can be done from here; @throws Error{storage}
};

/// Looks at everything in the store: artifacts, checkpoints, what was left half written, the
/// files of runs, the run counter, room on the disk. Only reads; a file that can't be read is a
/// finding as well.
/// @param in_use  a run is working on it: what it has under way is left alone
/// @throws InputError when there is no store
std::vector<Finding> diagnose(const storage::Store& store, bool in_use, int jobs,
                              const OnProgress& on_progress);

}  // namespace sweep::upkeep
