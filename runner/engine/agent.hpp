#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cluster/executor_process.hpp"
#include "cluster/message_bus.hpp"
#include "core/error.hpp"
#include "core/json.hpp"

namespace sweep::engine {

/// One rank's part of a run: keeps one executor process, hands it the coordinator's tasks and tells
/// the coordinator what becomes of them. Whatever happens to the executor costs one attempt of one
/// task.
class Agent {
 public:
  explicit Agent(cluster::MessageBus& bus);

  void on_message(const Json& message);

  /// To be called every few milliseconds. True when it had something to report.
  bool tick();

  /// Sleeps, until the executor says something or is gone.
  void wait(std::chrono::microseconds time) const;

  /// The coordinator's exit message has arrived.
  std::optional<int> exit_code() const { return exit_code_; }

 private:
  struct Running {
    std::size_t id = 0;
    int attempt = 0;
    std::chrono::steady_clock::time_point since;
  };

  void setup(const Json& message);
  void start_executor();
  void start_task(const Json& message);
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
  std::optional<int> exit_code_;
  std::chrono::steady_clock::time_point last_sign_of_life_;
};

}  // namespace sweep::engine
