#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "runner/upkeep/artifact_check.hpp"
#include "storage/store.hpp"

namespace sweep::upkeep {

/// Something that is not as it should be.
struct Problem {
  std::string code;  ///< of a Fault; "missing_input", "bad_plan"
  std::filesystem::path path;
  std::string message;  ///< for people, with what to do
};

/// A cell of a run's table without a whole evaluation.
struct MissingCell {
  std::string row, column;
  std::int64_t seed = 0;
  std::string evaluation;  ///< hash
  std::string state;       ///< of its task: "failed", "blocked", "waiting", ...; "damaged"
};

/// How much of a run is there, whole.
struct Completeness {
  std::string run;
  std::size_t cells = 0, tasks = 0;  ///< of the plan; without tasks whose output is temporary
  std::size_t pruned_cells = 0, pruned_tasks = 0;  ///< of them ended early by [search]
  std::vector<MissingCell> missing_cells;
  std::vector<std::string> missing_tasks;  ///< their labels
  bool complete() const { return missing_cells.empty() && missing_tasks.empty(); }
};

struct VerifyReport {
  std::size_t artifacts = 0, good = 0;
  std::uintmax_t bytes = 0;
  std::vector<Problem> problems;
  std::vector<Completeness> runs;
  std::vector<std::filesystem::path> unknown;  ///< that are left alone: links, files of others

  /// Nothing is damaged and nothing is missing.
  bool good_and_complete() const;
};

/// Checks everything in a store: its artifacts, and that they are all that its runs have to have.
/// Only reads. @throws InputError when there is no store, Error{storage}
VerifyReport verify(const storage::Store& store, int jobs, const OnProgress& on_progress);

Json to_json(const VerifyReport& report);
void print(const VerifyReport& report, std::ostream& out);

}  // namespace sweep::upkeep
