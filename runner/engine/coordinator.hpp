#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cluster/message_bus.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "runner/engine/control.hpp"
#include "runner/engine/eta.hpp"
#include "runner/engine/progress.hpp"
#include "runner/engine/pruner.hpp"
#include "runner/engine/run_log.hpp"
#include "runner/engine/run_view.hpp"
#include "runner/engine/standing.hpp"
#include "runner/engine/training_curves.hpp"
#include "runner/plan/graph.hpp"
#include "runner/plan/run_options.hpp"
#include "runner/scheduling/scheduler.hpp"
#include "storage/store.hpp"

namespace sweep::engine {

/// What the coordinator works on and with; all of it outlives the coordinator.
struct CoordinatorSetup {
  const plan::Graph& graph;
  const std::vector<Standing>& standings;  ///< of every task
  const plan::RunOptions& run;
  const scheduling::EarlyStoppingOptions& early_stopping;
  const storage::Store& store;
  const storage::Membership& member;
  bool joined = false;   ///< other runs work in the store
  std::string executor;  ///< program; empty: trial_executor
  RunLog& log;
  Progress& progress;
  cluster::MessageBus& bus;
  std::optional<Clock::time_point> end;  ///< when running tasks have to save
};

/// Hands tasks to the ranks until everything is made, failed for good, or a stop is asked for.
class Coordinator {
 public:
  explicit Coordinator(const CoordinatorSetup& setup);

  void on_message(int rank, const Json& message);
  /// To be called every few milliseconds. @throws Error{storage}
  void tick();

  bool finished() const;
  /// Of a finished run.
  ExitCode exit_code() const;
  const RunView& view() const { return view_; }
  bool lost_ranks() const;

 private:
  Coordinator(const CoordinatorSetup& setup, const plan::Rates& rates);

  /// What the coordinator alone has to know of a rank; the rest is in its RankView.
  struct Rank {
    Clock::time_point last_heard = Clock::now();
    bool ready = false;
    std::set<std::size_t> failed_since_success;  ///< tasks
  };
  /// A task that is worked on.
  struct Underway {
    std::uint64_t number = 0;  ///< of its start
    std::set<int> pending;     ///< ranks that have not ended
    bool stopped = false;      ///< one of those that have ended has saved for the next start
    double seconds = 0;        ///< that it took the lead
  };
  enum class Stop { no, drain, save };

  RankView& seen(int rank) { return view_.ranks[static_cast<std::size_t>(rank)]; }
  const plan::Task& task(std::size_t index) const { return setup_.graph.tasks[index]; }

  void on_hello(int rank, const Json& message);
  void on_progress(RankView& rank, const Json& message);
  void on_done(int rank, std::size_t task, double seconds);
  /// @param rank  that reports it: the lead, or one that works with it
  void on_failed(int rank, std::size_t task, FailureType type, const std::string& message);
  void on_task_message(int rank, std::size_t task, const Json& message);
  /// One rank has ended well; when all have, the task has.
  void on_ended(int rank, std::size_t task, bool stopped);
  /// The attempt is over for all that work on the task.
  void disband(std::size_t task, int but, const std::string& why);
  void on_stopped(int rank, std::size_t task);
  void on_epoch(int rank, std::size_t task, const Json& message);
  void on_pruned(int rank, std::size_t task);

  void start_tasks();
  bool take(std::size_t task);
  bool is_made(std::size_t task) const;
  void found(std::size_t task);
  void look_elsewhere();
  bool find_expelled();
  bool fits(std::size_t task) const;
  void watch_end();
  void start(const scheduling::Start& start);
  Json task_message(std::size_t task, int attempt) const;
  int memory_level(std::size_t task) const;
  /// The rank and those that worked with it are free again; `event` is what the user reads.
  void free(int rank, const std::string& event);
  void take_out(int rank, const std::string& state);
  void judge_rank(int rank, std::size_t task, FailureType type);
  void judge_run();
  bool remake_lost_inputs(std::size_t task);
  void remove_temporary_inputs(std::size_t task);
  void find_lost_ranks();
  void obey(const ControlRequest& request);
  void obey_waiting_requests(Stop strongest);
  void cancel(std::size_t task);
  void stop(Stop how, const std::string& why);
  void stop_on_request(Stop how, const std::string& why);
  void send(int rank, Json message);
  void update_counts();
  void update_stages();
  std::size_t failed_trials() const;

  CoordinatorSetup setup_;
  scheduling::Scheduler scheduler_;
  std::vector<std::vector<std::size_t>> inputs_;
  std::map<std::string, std::size_t> by_hash_;
  std::map<std::string, int> hosts_;  ///< name -> number
  std::vector<Rank> ranks_;
  std::map<std::size_t, int> remakes_;  ///< task -> how often its inputs had to be made again
  std::map<std::size_t, Underway> underway_;
  std::uint64_t starts_ = 0;
  std::map<std::size_t, std::vector<std::size_t>> users_;  ///< of temporary artifacts
  std::set<std::size_t> elsewhere_;                        ///< other runs make them
  std::set<std::size_t> cancelling_;                       ///< they run and were asked to stop
  std::map<std::size_t, Json> pruning_;                    ///< they run and were asked to end; why
  RunView view_;
  Eta eta_;
  plan::Rates rates_;  ///< as they were a second ago
  Pruner pruner_;
  TrainingCurves curves_;
  Stop stop_ = Stop::no;
  bool given_up_ = false, input_failure_ = false, storage_failure_ = false, expelled_ = false;
  bool started_ = false;  ///< a task
  Clock::time_point stop_since_, last_request_check_, last_stages_, last_look_;
};

}  // namespace sweep::engine
