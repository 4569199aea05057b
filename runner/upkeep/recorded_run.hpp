#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "runner/report/plan_file.hpp"
#include "storage/store.hpp"

namespace sweep::upkeep {

/// A task of plan.json.
struct RecordedTask {
  storage::ArtifactId id;
  std::string label;
  std::vector<std::size_t> inputs;  ///< indices of tasks before this one
  bool temporary = false;           ///< only needed until what is made of it is there
};

/// What runs/NAME/plan.json says.
struct RecordedRun {
  std::string name;            ///< "table1", or "table1/data" where only its datasets were prepared
  std::filesystem::path file;  ///< the plan
  Json record;                 ///< the whole of it
  report::Plan plan;           ///< its table
  std::vector<RecordedTask> tasks;
};

/// Every value that is used is checked: plans may come from anywhere.
/// @throws InputError naming the key that can't be used
RecordedRun read_run(const std::filesystem::path& plan_file, const std::string& name);

/// The names of the runs that have a plan, "NAME/data" included. @throws Error{storage}
std::vector<std::string> planned_runs(const storage::Store& store);

/// A place where the plan of a run is or was, and where planned_runs does not look.
struct UnseenPlan {
  std::string run;             ///< "table1"; empty: of any run
  std::filesystem::path path;  ///< the link, or the plan that is gone
  std::string why;             ///< "is a link", "is not there, though the run has a history"
  std::string remedy;          ///< what its user can do
};

/// Links, which are not followed, and runs whose plan is gone. What their artifacts are for is not
/// known. @throws Error{storage}
std::vector<UnseenPlan> unseen_plans(const storage::Store& store);

/// What can be done where the plan of a run can't be used.
std::string plan_remedy(const std::string& run);

/// The task and all that it is made of, as a mark for each task of the run.
void mark_with_inputs(const RecordedRun& run, std::size_t task, std::vector<bool>& marks);

}  // namespace sweep::upkeep
