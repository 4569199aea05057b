#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/error.hpp"
#include "runner/scheduling/places.hpp"

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
  elsewhere,  ///< another run makes it
};

/// A task as the scheduler sees it. Inputs stand in front of it in the list of all tasks.
struct Node {
  std::vector<std::size_t> inputs;
  double cost = 0;      ///< how long it takes on its ranks, in any unit; finite, at least 0
  bool done = false;    ///< its artifact is there already
  bool failed = false;  ///< in an earlier run, and not to be tried again
  int devices = 1;      ///< ranks that it needs at once
  int priority = 0;     ///< higher first, before longer paths; its inputs get at least the same
};

enum class Verdict { retry, give_up, stop_run };

struct Policy {
  int attempts = 3;             ///< see allowed_attempts()
  std::size_t max_running = 0;  ///< tasks at once; 0: no limit
};

/// A task and the ranks that work on it together; the first leads.
struct Start {
  std::size_t task = 0;
  std::vector<int> ranks;

  bool operator==(const Start&) const = default;
};

/// How often tasks behind it may be started while the first one of its size waits for several ranks
/// that are free at once. From then on ranks are held for it: those of the host with the most free
/// ones, or every one where it needs several hosts. What is held goes to no task of the same
/// priority, so that it waits for nothing but what runs there already.
inline constexpr int kMaxOvertakes = 4;

/// Decides what runs next and where: the ready task of the highest priority with the longest
/// remaining path (Graham's list scheduling by critical path). Tasks of several devices get ranks
/// of one host as soon as it has enough free, and of the fewest hosts where none ever has enough. A
/// task that has to wait for several devices is overtaken by others only kMaxOvertakes times. Knows
/// neither time, processes nor files, so that tests, the planner's simulation and production drive
/// the same code. With n tasks, a decision takes O(log n), and O(h) with h hosts.
class Scheduler {
 public:
  /// @throws Error{internal} for a node whose inputs do not stand in front of it, or whose cost or
  ///         devices are out of range
  Scheduler(std::vector<Node> nodes, Policy policy);

  /// The rank can take tasks from now on.
  void add_rank(int rank, Rank place);
  /// It gets no more tasks (lost, or taken out). What it is working on has to be reported as usual.
  void remove_rank(int rank);

  /// Whether a task may be started at all, as things stand; once false, it stays so.
  using MayStart = std::function<bool(std::size_t)>;

  /// Marks the next task as running on its ranks; nothing when none can be started now. With
  /// `may_start`, which is asked of ready tasks until one may, those that may not are as good as
  /// not there.
  std::optional<Start> next(const MayStart& may_start = {});

  /// All that end a running task free its ranks: to be called when nothing works on it any more.
  /// The artifact is there, whoever made it.
  void done(std::size_t task);
  /// Counts an attempt. When it was the last one, everything that needs the task is blocked. Of one
  /// that does not run (it was cancelled): give_up, and nothing changes.
  Verdict failed(std::size_t task, FailureType type);
  /// The task goes to another rank while there is one: this one may be to blame for its failure.
  /// Only for tasks of one device.
  void avoid(std::size_t task, int rank) { entries_[task].avoid.insert(rank); }
  /// Back to waiting for its inputs without counting an attempt: it was interrupted on request, or
  /// nobody else makes it any more.
  void put_back(std::size_t task);
  /// Of one that next() has just given: another run makes it. Until done() or put_back().
  void leave_to_others(std::size_t running_task) { end(running_task, State::elsewhere); }
  /// The artifact of a finished task is gone: it has to be made again before `needed_by` can run.
  void remake(std::size_t task, std::size_t needed_by);
  /// Never to be run in this run; what needs it is blocked. Does nothing to one that is done.
  void cancel(std::size_t task);
  void prune(std::size_t task);

  /// Failed, cancelled or blocked: back to waiting with all its attempts, and what was blocked by
  /// it. For a blocked one the same is done to the inputs that block it; a pruned one goes on
  /// blocking.
  void retry(std::size_t task);
  /// Inputs have at least the priority of what needs them.
  void set_priority(std::size_t task, int priority);

  State state(std::size_t task) const { return entries_[task].state; }
  int attempts(std::size_t task) const { return entries_[task].attempts; }
  /// Attempts that ended with this failure.
  int failures(std::size_t task, FailureType type) const;
  const std::vector<int>& ranks_of(std::size_t running_task) const;
  std::size_t count(State state) const { return counts_[static_cast<std::size_t>(state)]; }
  /// Nothing runs and nothing can be started any more, given ranks enough.
  bool finished() const { return unfinished() == 0; }
  /// The task needs more ranks than there are now. It waits for more of them, and stands in
  /// nobody's way.
  bool impossible(std::size_t task) const;
  /// Nothing runs, here or elsewhere, and all that is ready is impossible: without further ranks
  /// this is the end.
  bool stuck() const;
  /// The task that a free rank is held for.
  std::optional<std::size_t> held_for(int rank) const;
  /// Of everything that still has to be done: its cost times its devices, and the cost of the
  /// longest chain. The latter looks at every task.
  double remaining_cost() const { return finished() ? 0 : remaining_cost_; }
  double remaining_path() const;

 private:
  struct Entry {
    Node node;
    std::vector<std::size_t> dependents{};
    State state = State::waiting;
    std::size_t missing = 0;  ///< inputs that are not done
    std::size_t bad = 0;      ///< of these, inputs that will not be
    int attempts = 0;
    std::map<FailureType, int> failures{};
    int priority = 0;   ///< its own, or a higher one of what needs it
    double path = 0;    ///< cost of the longest chain from here to the end
    int overtaken = 0;  ///< since it was first of its size
    std::vector<int> ranks{};
    std::set<int> avoid{};
  };
  /// Sorted: what runs first comes first.
  struct Key {
    int priority = 0;
    double path = 0;
    std::size_t task = 0;
    bool operator<(const Key& other) const;
  };
  struct Hold {
    std::size_t task = 0;
    std::optional<int> host;  ///< none: all of them
  };

  void check(const Node& node, std::size_t index) const;
  Key key(std::size_t task) const;
  std::size_t unfinished() const;

  /// The one place that changes a state: counts, queue, and what it means for what needs the task.
  void set_state(std::size_t task, State state);
  /// Waiting, ready or blocked, as its inputs have it; then the same for what needs it.
  void settle(std::size_t task);
  void leave_ranks(std::size_t task);
  void end(std::size_t task, State state);
  int priority_needed(const Entry& entry) const;

  std::vector<std::size_t> candidates(const MayStart& may_start) const;
  std::optional<std::vector<int>> find_ranks(std::size_t task, const std::set<int>& held) const;
  bool is_held_for(std::size_t task) const;
  /// Hosts that the task must leave to others of at least its priority.
  std::set<int> held_for_others(std::size_t task) const;
  bool is_valid(const Hold& hold) const;
  /// The hold for the task, a new one where there is none; null when every host is held already.
  const Hold* hold(std::size_t task, const std::set<int>& held);
  Start start(std::size_t task, std::vector<int> ranks);

  std::vector<Entry> entries_;
  Policy policy_;
  Places places_;
  std::map<int, std::set<Key>> ready_;  ///< by devices
  std::vector<Hold> holds_;             ///< in the order in which they came
  std::array<std::size_t, 9> counts_{};
  double remaining_cost_ = 0;
};

}  // namespace sweep::scheduling
