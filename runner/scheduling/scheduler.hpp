#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "core/error.hpp"

namespace sweep::scheduling {

enum class State {
  waiting,  ///< for inputs
  ready,
  running,
  done,
  failed,     ///< all attempts are used up
  blocked,    ///< an input failed, was cancelled or was pruned
  cancelled,  ///< on request
  pruned,     ///< ended early because others do better
};

/// A task as the scheduler sees it. Inputs stand in front of it in the list of all tasks.
struct Node {
  std::vector<std::size_t> inputs;
  double cost = 0;
  bool done = false;    ///< its artifact is there already
  bool failed = false;  ///< in an earlier run, and not to be tried again
  int devices = 1;      ///< ranks that it needs at once
  int priority = 0;     ///< higher first, before longer paths
};

enum class Verdict { retry, give_up, stop_run };

struct Policy {
  int attempts = 3;             ///< see allowed_attempts()
  std::size_t max_running = 0;  ///< tasks at once; 0: no limit
};

/// A place where tasks run.
struct Rank {
  int host = 0;                  ///< ranks with equal numbers share a machine
  std::size_t host_tasks = 0;    ///< tasks at once that the memory of the machine holds; 0: no limit
};

/// A task and the ranks that work on it together; the first leads.
struct Start {
  std::size_t task = 0;
  std::vector<int> ranks;
};

/// Decides what runs next and where: the ready task of the highest priority with the longest
/// remaining path (Graham's list scheduling by critical path). Tasks of several devices get ranks of
/// one host where one has enough. A task that has to wait for several devices is overtaken by
/// smaller ones only a bounded number of times. Knows neither time, processes nor files, so that
/// tests, the planner's simulation and production drive the same code.
class Scheduler {
 public:
  Scheduler(std::vector<Node> nodes, Policy policy);

  /// The rank can take tasks from now on.
  void add_rank(int rank, Rank place);
  /// It gets no more tasks (lost, or taken out). What it is working on has to be reported as usual.
  void remove_rank(int rank);

  /// Marks the next task as running on its ranks; nothing when none can be started now.
  std::optional<Start> next();

  /// All that end a running task free its ranks.
  void done(std::size_t task);
  /// Counts an attempt. When it was the last one, everything that needs the task is blocked.
  Verdict failed(std::size_t task, FailureType type);
  /// Back to waiting for its inputs without counting an attempt: it was interrupted on request.
  void put_back(std::size_t task);
  /// The artifact of a finished task is gone: it has to be made again before `needed_by` can run.
  void remake(std::size_t task, std::size_t needed_by);
  /// Never to be run in this run; what needs it is blocked. Does nothing to one that is done.
  void cancel(std::size_t task);
  void prune(std::size_t task);

  /// Failed, cancelled or blocked: back to waiting with all its attempts, and what was blocked by it.
  void retry(std::size_t task);
  void set_priority(std::size_t task, int priority);

  State state(std::size_t task) const;
  int attempts(std::size_t task) const;
  /// Attempts that ended with this failure.
  int failures(std::size_t task, FailureType type) const;
  const std::vector<int>& ranks_of(std::size_t running_task) const;
  std::size_t count(State state) const;
  /// Nothing runs and nothing can be started any more, given ranks enough.
  bool finished() const;
  /// Cost of everything that still has to be done, and of the longest chain of it.
  double remaining_cost() const;
  double remaining_path() const;

 private:
  struct Entry {
    Node node;
    std::vector<std::size_t> dependents;
    State state = State::waiting;
    int attempts = 0;
    std::map<FailureType, int> failures;
    double path = 0;
    std::vector<int> ranks;
  };
  bool inputs_done(const Entry& entry) const;
  void release(std::size_t task);
  void block(std::size_t task);
  void free(std::size_t task);
  std::vector<Entry> entries_;
  Policy policy_;
  std::map<int, bool> free_;
};

}  // namespace sweep::scheduling
