#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>

#include "core/json.hpp"

namespace sweep::tasks {

/// Thrown between two steps of a task when a stop was requested and what there is to save is saved.
struct Stopped {};

/// The executor's end of its agent's line protocol (runner/engine/messages.hpp).
class Channel {
 public:
  explicit Channel(int socket) : socket_(socket) {}

  void send(const Json& message);
  /// Waits for the next message that is not "stop"; nothing when the agent has closed its end.
  std::optional<Json> next();
  /// True once a stop was requested for the running task. Cheap enough for every step.
  bool stop_requested();
  /// Reports at most a few times a second.
  void progress(double fraction, const std::string& text);

 private:
  enum class Wait { no, yes };
  bool receive(Wait wait);

  int socket_;
  std::string received_;
  std::deque<Json> tasks_;
  bool stop_ = false;
  std::chrono::steady_clock::time_point last_progress_;
};

}  // namespace sweep::tasks
