#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/error.hpp"

namespace sweep::scheduling {

enum class State {
  waiting,  ///< for inputs
  ready,
  running,
  done,
  failed,   ///< all attempts are used up
  blocked,  ///< an input failed
};

/// A task as the scheduler sees it. Inputs stand in front of it in the list of all tasks.
struct Node {
  std::vector<std::size_t> inputs;
  double cost = 0;
  bool done = false;  ///< its artifact is there already
};

enum class Verdict { retry, give_up, stop_run };

/// Decides what runs next: the ready task with the longest remaining path (Graham's list scheduling
/// by critical path). Knows neither time, processes nor files, so that tests drive it as production
/// does.
class Scheduler {
 public:
  Scheduler(std::vector<Node> nodes, int attempts);

  /// Marks the next task as running; nothing when none is ready.
  std::optional<std::size_t> take();

  void done(std::size_t task);
  /// Counts an attempt. When it was the last one, everything that needs the task is blocked.
  Verdict failed(std::size_t task, FailureType type);
  /// Back to waiting for its inputs without counting an attempt: it was interrupted on request.
  void put_back(std::size_t task);
  /// The artifact of a finished task is gone: it has to be made again before `needed_by` can run.
  void remake(std::size_t task, std::size_t needed_by);

  State state(std::size_t task) const { return entries_[task].state; }
  int attempts(std::size_t task) const { return entries_[task].attempts; }
  std::size_t count(State state) const;
  /// Nothing runs and nothing can be started any more.
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
    double path = 0;  ///< cost of the most expensive chain from here to the end
  };

  bool inputs_done(const Entry& entry) const;
  void release(std::size_t task);
  void block_dependents(std::size_t task);

  std::vector<Entry> entries_;
  int attempts_allowed_;
};

}  // namespace sweep::scheduling
