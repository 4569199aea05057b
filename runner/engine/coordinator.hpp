#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster/message_bus.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "runner/engine/progress.hpp"
#include "runner/plan/graph.hpp"
#include "runner/scheduling/scheduler.hpp"
#include "storage/journal.hpp"
#include "storage/store.hpp"

namespace sweep::engine {

/// What the coordinator works on and with; all of it outlives the coordinator.
struct CoordinatorSetup {
  const plan::Graph& graph;
  const std::vector<bool>& done;  ///< per task: nothing is to be made
  const storage::Store& store;
  std::int64_t epoch = 0;  ///< number of this run of the store
  Json run;                ///< the [run] section, resolved
  std::string run_folder;
  storage::Journal& journal;
  Progress& progress;
  cluster::MessageBus& bus;
};

/// Hands tasks to the ranks until everything is made, failed for good, or a stop is asked for.
class Coordinator {
 public:
  explicit Coordinator(const CoordinatorSetup& setup);

  void on_message(int rank, const Json& message);
  /// To be called every few milliseconds.
  void tick();
  void request_stop(const std::string& why);

  bool finished() const;
  /// Of a finished run.
  ExitCode exit_code() const;
  const scheduling::Scheduler& scheduler() const { return scheduler_; }
  bool lost_ranks() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Rank {
    bool ready = false, lost = false;
    std::optional<std::size_t> task;
    Clock::time_point task_since, last_heard;
  };

  void start_tasks();
  void start(int rank, std::size_t task);
  void on_done(int rank, std::size_t task, double seconds);
  void on_failed(int rank, std::size_t task, FailureType type, const std::string& message);
  bool remake_lost_inputs(std::size_t task);
  void remove_temporary_inputs(std::size_t task);
  void find_lost_ranks();
  std::optional<double> eta_s() const;
  Counts counts() const;
  std::string log_path(std::size_t task, int attempt) const;
  void broadcast(Json message);

  CoordinatorSetup setup_;
  scheduling::Scheduler scheduler_;
  std::vector<std::vector<std::size_t>> inputs_;
  std::vector<Rank> ranks_;
  std::map<std::size_t, int> remakes_;  ///< task -> how often its inputs had to be made again
  bool stopping_ = false, input_failure_ = false, storage_failure_ = false;
  Clock::time_point stop_since_;
  double cost_done_ = 0, seconds_done_ = 0;
};

}  // namespace sweep::engine
