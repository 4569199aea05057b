#include "runner/upkeep/verify.hpp"

#include <algorithm>
#include <optional>
#include <ostream>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/text_table.hpp"
#include "runner/inspect/run_view.hpp"
#include "runner/upkeep/recorded_run.hpp"

namespace sweep::upkeep {
namespace {

using inspect::State;
using storage::ArtifactId;
using storage::ArtifactKind;

constexpr std::size_t kShownMissing = 20;

/// The artifacts that are there, and those of them that are whole.
struct Present {
  std::set<ArtifactId> any, good;
};

std::string what_to_do(const std::string& code) {
  if (code == "unreadable") return "mend the disk or the file's permissions";
  return "sweep_runner doctor --fix sets it aside, and the next run makes it again";
}

void check_files(const StoreScan& scan, int jobs, const OnProgress& on_progress,
                 VerifyReport& report, Present& present) {
  const auto results = check_artifacts(scan.artifacts, jobs, on_progress);
  for (const auto& artifact : scan.artifacts) present.any.insert(artifact.id);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& [path, bytes] = static_cast<const FoundFile&>(scan.artifacts[i]);
    const ArtifactId& id = scan.artifacts[i].id;
    report.bytes += bytes;
    if (const auto& fault = results[i].fault) {
      report.problems.push_back({fault->code, path,
                                 concat(id.short_name(), " can't be used (", fault->why, "); ",
                                        what_to_do(fault->code))});
      continue;
    }
    present.good.insert(id);
    for (const auto& input : inputs_of(results[i].spec))
      if (!present.any.contains(input))
        report.problems.push_back(
            {"missing_input", path,
             concat(id.short_name(), " was made from ", input.short_name(),
                    ", which is not there (nobody can make it again from here); run the sweep, or "
                    "import what is missing")});
  }
  report.artifacts = results.size();
  report.good = present.good.size();
}

/// How the tasks of a run stand whose artifacts are not there, by hash: what stands in the way of
/// a blocked one decides whether it was pruned.
class Missing {
 public:
  Missing() = default;
  Missing(const storage::Store& store, const std::string& run)
      : view_(inspect::RunFolder{store.run_folder(run), run, store}) {}

  State state_of(const std::string& hash) const {
    if (!view_) return State::waiting;
    const auto index = view_->plan().by_hash.find(hash);
    if (index == view_->plan().by_hash.end()) return State::waiting;
    const auto& task = view_->tasks()[index->second];
    const bool is_pruned =
        task.cause >= 0 &&
        view_->tasks()[static_cast<std::size_t>(task.cause)].state == State::pruned;
    return is_pruned ? State::pruned : task.state;
  }

 private:
  std::optional<inspect::RunView> view_;
};

/// A temporary output counts as there when all that is made of it is: it is not asked for at all.
Completeness completeness_of(const RecordedRun& run, const std::set<ArtifactId>& good,
                             const Missing& missing) {
  Completeness found{.run = run.name};
  for (const auto& task : run.tasks) {
    if (task.temporary) continue;
    ++found.tasks;
    if (good.contains(task.id)) continue;
    if (missing.state_of(task.id.hash) == State::pruned)
      ++found.pruned_tasks;
    else
      found.missing_tasks.push_back(task.label);
  }
  for (const auto& row : run.plan.rows)
    for (const auto& trial : row.trials)
      for (const auto& [column, hash] : trial.evaluations) {
        ++found.cells;
        if (good.contains({ArtifactKind::evaluation, hash})) continue;
        const State state = missing.state_of(hash);
        if (state == State::pruned)
          ++found.pruned_cells;
        else  // done, as far as the run knows: it has not looked into the file
          found.missing_cells.push_back(
              {row.label, column, trial.seed, hash,
               state == State::done ? "damaged" : std::string(inspect::to_string(state))});
      }
  return found;
}

/// Of runs that only prepared datasets, those are all that has to be there.
void keep_datasets(RecordedRun& run) {
  std::erase_if(run.tasks,
                [](const RecordedTask& task) { return task.id.kind != ArtifactKind::dataset; });
  run.plan.rows.clear();
}

void check_runs(const storage::Store& store, VerifyReport& report,
                const std::set<ArtifactId>& good) {
  for (const auto& plan : unseen_plans(store))
    report.problems.push_back(
        {"bad_plan", plan.path,
         concat(plan.why, " (nobody knows what its run needs and has); ", plan.remedy)});
  for (const auto& name : planned_runs(store)) {
    const auto path = store.run_folder(name) / "plan.json";
    try {
      RecordedRun run = read_run(path, name);
      const bool only_datasets = name.ends_with("/data");
      if (only_datasets) keep_datasets(run);
      report.runs.push_back(
          completeness_of(run, good, only_datasets ? Missing() : Missing(store, name)));
    } catch (const Error& error) {
      report.problems.push_back({"bad_plan", path, error.what()});
    }
  }
}

Json completeness_json(const Completeness& run) {
  Json cells = Json::array();
  for (const auto& cell : run.missing_cells)
    cells.push_back({{"row", cell.row},
                     {"column", cell.column},
                     {"seed", cell.seed},
                     {"evaluation", cell.evaluation},
                     {"state", cell.state}});
  return {{"run", run.run},
          {"complete", run.complete()},
          {"cells", run.cells},
          {"pruned_cells", run.pruned_cells},
          {"missing_cells", cells},
          {"tasks", run.tasks},
          {"pruned_tasks", run.pruned_tasks},
          {"missing_tasks", run.missing_tasks}};
}

void print_completeness(const Completeness& run, std::ostream& out) {
  out << printable(run.run) << ": " << run.cells - run.missing_cells.size() - run.pruned_cells
      << " of " << count_text(run.cells, "cell") << ", "
      << run.tasks - run.missing_tasks.size() - run.pruned_tasks << " of "
      << count_text(run.tasks, "artifact") << (run.complete() ? ": complete" : "");
  if (run.pruned_tasks > 0)
    out << " (" << count_text(run.pruned_cells, "cell") << " and "
        << count_text(run.pruned_tasks, "artifact") << " were ended early by [search])";
  out << "\n";
  std::size_t lines = 0;
  const auto print_line = [&](const std::string& line) {
    if (lines++ < kShownMissing) out << "  missing: " << printable(line) << "\n";
  };
  for (const auto& cell : run.missing_cells)
    print_line(concat(cell.row, ", seed ", cell.seed, ", ", cell.column, " (", cell.state, ")"));
  if (run.missing_cells.empty())  // else they follow from what is missing
    for (const auto& label : run.missing_tasks) print_line(label);
  if (lines > kShownMissing)
    out << "  and " << lines - kShownMissing << " more (--json has all of them)\n";
}

}  // namespace

bool VerifyReport::good_and_complete() const {
  return problems.empty() && std::all_of(runs.begin(), runs.end(),
                                         [](const Completeness& run) { return run.complete(); });
}

VerifyReport verify(const storage::Store& store, int jobs, const OnProgress& on_progress) {
  VerifyReport report;
  Present present;
  StoreScan scan = scan_store(store);
  check_files(scan, jobs, on_progress, report, present);
  check_runs(store, report, present.good);
  report.unknown = std::move(scan.unknown);
  return report;
}

Json to_json(const VerifyReport& report) {
  Json problems = Json::array(), runs = Json::array(), unknown = Json::array();
  for (const auto& problem : report.problems)
    problems.push_back(
        {{"problem", problem.code}, {"path", problem.path.string()}, {"message", problem.message}});
  for (const auto& run : report.runs) runs.push_back(completeness_json(run));
  for (const auto& path : report.unknown) unknown.push_back(path.string());
  return {{"ok", report.good_and_complete()},
          {"artifacts", report.artifacts},
          {"good", report.good},
          {"bytes", report.bytes},
          {"problems", problems},
          {"runs", runs},
          {"unknown", unknown}};
}

void print(const VerifyReport& report, std::ostream& out) {
  for (const auto& problem : report.problems)
    out << printable(problem.path.string()) << ": " << printable(problem.message) << "\n";
  for (const auto& path : report.unknown)
    out << "note: " << printable(path.string())
        << " is left alone (no file of a sweep has such a name, or it is a link)\n";
  out << report.good << " of " << count_text(report.artifacts, "artifact") << " are whole ("
      << bytes_text(report.bytes) << ")\n";
  for (const auto& run : report.runs) print_completeness(run, out);
  if (report.good_and_complete()) out << "all good\n";
}

}  // namespace sweep::upkeep
