#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/untrusted_json.hpp"
#include "runner/inspect/plan.hpp"

namespace sweep::inspect {

/// One attempt at a task, as the journal tells it. Times are seconds since 1970.
struct Attempt {
  std::int64_t epoch = 0;  ///< number of the run
  std::int64_t number = 1, rank = 0, pid = 0;
  std::int64_t started = 0, ended = 0;  ///< 0: not known, or not yet
  std::string outcome = "running";      ///< running, done, failed, stopped, pruned, cancelled, lost
  double seconds = 0;                   ///< once it has ended
  std::string failure, message;         ///< where it has failed
  std::string log;                      ///< as the journal names it; not to be opened unchecked
};

/// What the journal says last of a task.
enum class Last { nothing, started, done, failed, given_up, stopped, pruned, cancelled };

struct TaskHistory {
  std::vector<Attempt> attempts;
  Last last = Last::nothing;
  std::string note;  ///< of what was pruned: the metric

  double seconds() const;  ///< of all attempts
};

/// The events of a journal, gathered by task.
class History {
 public:
  explicit History(const Plan& plan) : by_hash_(&plan.by_hash), tasks_(plan.tasks.size()) {}

  /// @throws InputError when the event has a key of the wrong type; it is left out then
  void apply(const JsonNode& event);

  const TaskHistory& task(std::size_t index) const { return tasks_[index]; }
  std::int64_t epoch() const { return epoch_; }          ///< of the last run; 0: none yet
  std::int64_t run_began() const { return run_began_; }  ///< of the last run
  std::int64_t last_time() const { return last_time_; }  ///< of the last event; 0: none
  bool ended() const { return ended_; }                  ///< the last run has said how it ended
  const std::string& end_state() const { return end_state_; }
  const std::string& host() const { return host_; }
  std::int64_t pid() const { return pid_; }

 private:
  void on_run(const JsonNode& event);
  void on_control(const JsonNode& event);
  void on_task(const std::string& kind, const JsonNode& event, TaskHistory& task);
  Attempt& current_attempt(TaskHistory& task, const JsonNode& event) const;

  const std::unordered_map<std::string, std::size_t>* by_hash_;
  std::vector<TaskHistory> tasks_;
  std::int64_t epoch_ = 0, run_began_ = 0, last_time_ = 0, pid_ = 0;
  bool ended_ = false;
  std::string end_state_, host_;
};

}  // namespace sweep::inspect
