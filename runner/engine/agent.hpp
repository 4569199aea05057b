#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/executor_process.hpp"
#include "cluster/message_bus.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "runner/engine/collectives.hpp"

namespace sweep::engine {

/// One rank's part of a run: keeps one executor process, hands it the coordinator's tasks and tells
/// the coordinator what becomes of them. Whatever happens to the executor costs one attempt of one
/// task.
class Agent {
 public:
  explicit Agent(cluster::MessageBus& bus);

  void on_message(const Json& message);
  /// A part of a reduction, from a rank that works on the same task.
  void on_reduction(cluster::Message message);

  /// To be called every few milliseconds. True when it had something to report.
  bool tick();

  /// Sleeps, until the executor says something or is gone.
  void wait(std::chrono::microseconds time) const;

  /// The coordinator's exit message has arrived.
  std::optional<int> exit_code() const { return exit_code_; }
  /// It says that no rank was lost.
  bool all_here() const { return all_here_; }

 private:
  struct Running {
    std::size_t id = 0;
    int attempt = 0;
    std::uint64_t number = 0;  ///< of the start: no two of a run have the same
    std::chrono::steady_clock::time_point since;
  };

  void setup(const Json& message);
  void start_executor();
  void start_task(const Json& message);
  void join_group(const Json& task);
  void leave_group();
  /// Does something with the group's collectives; what goes wrong there costs the attempt.
  template <class Action>
  void in_group(const Action& action);
  void on_executor_line(const std::string& line);
  void report_failure(const std::string& failure, const std::string& text);
  void report(Json message);
  void check_executor();
  void pass_on(const std::string& type);
  void kill_executor(FailureType type, const std::string& why);

  cluster::MessageBus& bus_;
  Json setup_;
  std::unique_ptr<cluster::ExecutorProcess> executor_;
  std::optional<Running> running_;
  std::unique_ptr<Collectives> collectives_;  ///< of the running task, if others work on it too
  std::vector<cluster::Message> early_;       ///< of a group whose task has not arrived here yet
  std::optional<int> exit_code_;
  bool all_here_ = true;
  std::chrono::steady_clock::time_point last_sign_of_life_;
};

}  // namespace sweep::engine
