#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runner/inspect/history.hpp"
#include "runner/inspect/journal_reader.hpp"
#include "runner/inspect/plan.hpp"
#include "runner/inspect/run_folder.hpp"
#include "runner/inspect/status_file.hpp"

namespace sweep::inspect {

/// Of a task; of a trial, which is never `ready`: its tasks are.
enum class State { waiting, ready, running, done, failed, blocked, cancelled, pruned };
inline constexpr std::size_t kStates = 8;

std::string_view to_string(State state);
/// @throws InputError for a name that is none, with those that are
State state_from(std::string_view name);

/// Of a run as a whole.
enum class RunState {
  not_started,
  running,
  draining,  ///< running tasks end, nothing new starts
  finished,
  failed,       ///< ended, and some tasks have failed
  interrupted,  ///< ended on request; the same command goes on
  died,         ///< no sign of life for a while, and no word of an end
};

std::string_view to_string(RunState state);

struct TaskState {
  State state = State::waiting;
  double seconds = 0;  ///< of all attempts, the running one included
  /// The task that keeps this one from ever being done, as things stand: one that has failed, was
  /// cancelled or pruned; it may be itself.
  std::ptrdiff_t cause = -1;
};

struct TrialState {
  State state = State::waiting;
  double seconds = 0;            ///< of the tasks that are its own
  std::string why;               ///< of what is failed, blocked, cancelled or pruned
  std::vector<std::size_t> own;  ///< tasks that no other trial needs, and its model
};

using Counts = std::array<std::size_t, kStates>;  ///< by State

/// How a run stands, from the files of its folder: plan, journal, status, and which artifacts are
/// there. Never writes.
class RunView {
 public:
  /// @throws InputError when the plan can't be used
  explicit RunView(RunFolder folder);

  /// Reads what is new.
  void refresh();

  const RunFolder& folder() const { return folder_; }
  const Plan& plan() const { return *plan_; }
  const History& history() const { return *history_; }
  const StatusFile& status() const { return status_; }
  const std::vector<TaskState>& tasks() const { return tasks_; }
  const std::vector<TrialState>& trials() const { return trials_; }  ///< as in the plan
  RunState state() const { return state_; }
  bool active() const { return state_ == RunState::running || state_ == RunState::draining; }
  std::int64_t last_sign() const { return last_sign_; }  ///< seconds since 1970; 0: none
  Counts task_counts() const;
  Counts trial_counts() const;

  /// What could not be read, for people.
  std::vector<std::string> problems() const;

 private:
  void read_files();
  void find_run_state();
  void find_task_states();
  void find_trial_states();
  TrialState trial_state(std::size_t trial) const;

  RunFolder folder_;
  std::unique_ptr<Plan> plan_;  ///< History refers to it
  std::unique_ptr<JournalReader> journal_;
  std::unique_ptr<History> history_;
  std::filesystem::file_time_type plan_time_;
  StatusFile status_;
  std::string status_problem_;
  std::vector<std::vector<std::size_t>> own_;  ///< tasks of each trial
  std::vector<TaskState> tasks_;
  std::vector<TrialState> trials_;
  RunState state_ = RunState::not_started;
  std::int64_t now_ = 0, last_sign_ = 0;
};

/// 0: the run goes on, or has ended, and nothing has failed; 1: something has failed; 75: it is not
/// done and nobody works on it.
int exit_code(const RunView& run);

}  // namespace sweep::inspect
