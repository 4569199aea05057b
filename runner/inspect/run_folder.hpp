#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "storage/store.hpp"

namespace sweep::inspect {

/// Which run a verb is about, as its user says it.
struct Where {
  std::string dir =
      "results";    ///< output folder, run folder or its plan.json, or sweep file (TOML)
  std::string run;  ///< of several in the output folder; empty: there is one
  std::string out;  ///< output folder of a sweep file; empty: "results"
};

/// runs/SWEEP in an output folder: docs/run_folder.md.
struct RunFolder {
  std::filesystem::path path;
  std::string name;      ///< of the sweep; of a further run that joined: SWEEP@2
  storage::Store store;  ///< the output folder

  std::filesystem::path plan() const { return path / "plan.json"; }
  std::filesystem::path journal() const { return path / "journal.jsonl"; }
  std::filesystem::path status() const { return path / "status.json"; }
  std::filesystem::path control() const { return path / "control"; }
  std::filesystem::path logs() const { return path / "logs"; }
};

/// Of several runs of one sweep at once the first, unless another is named.
/// @throws InputError when there is no such run, or when several sweeps are meant; lists them.
RunFolder find_run(const Where& where);

/// The other runs of the same sweep, which share its work.
std::vector<RunFolder> runs_beside(const RunFolder& run);

/// Names of all runs in an output folder, sorted.
std::vector<std::string> run_names(const std::filesystem::path& output_folder);

}  // namespace sweep::inspect
