#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "runner/inspect/run_folder.hpp"
#include "runner/upkeep/artifact_check.hpp"
#include "storage/store.hpp"

namespace sweep::upkeep {

struct ExportReport {
  std::size_t artifacts = 0, missing = 0;  ///< in the new folder; of the run, but not there
  std::uintmax_t bytes = 0;
};

/// Puts the plan of a run and its artifacts, as far as they are there, into a folder that is an
/// output folder like any other. Files are linked where the file system can do it, else copied:
/// artifacts never change.
/// @param trials  only what these trials need; empty: all
/// @throws InputError when the folder is there already and not empty, Error{storage}
ExportReport export_run(const inspect::RunFolder& run, const std::set<std::size_t>& trials,
                        const std::filesystem::path& folder);

struct ImportReport {
  std::size_t added = 0, known = 0;  ///< new here; there already, with equal content
  std::vector<std::string> refused;  ///< files and why they are not taken
  std::vector<std::string> runs;     ///< whose plans are new here
};

/// Takes artifacts and plans of another output folder, which nobody vouches for: only files with
/// names that a sweep gives, no links; every artifact is copied, checked (checksum, identity) and
/// published. What is here already is never replaced. The caller holds the lock of `store`.
/// @throws InputError when `folder` is none or does not fit on the disk, Error{storage}
ImportReport import_folder(const std::filesystem::path& folder, const storage::Store& store,
                           int jobs, const OnProgress& on_progress);

}  // namespace sweep::upkeep
