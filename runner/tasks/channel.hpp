#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "core/json.hpp"

namespace sweep::tasks {

/// Why a task has to end early: the run ends and the task goes on at the next start, or nobody
/// wants its result any more.
enum class StopReason { stop, prune };

/// Thrown between two steps of a task when a stop was requested and what there is to save is saved.
struct Stopped {
  StopReason reason = StopReason::stop;
};

/// How far a task is. What means nothing for it is left out.
struct Progress {
  double fraction = 0;  ///< in [0,1]
  std::string text;
  std::optional<std::int64_t> epoch;  ///< under way, from 1
  std::optional<double> loss, images_per_second;
};

/// The executor's end of its agent's line protocol (runner/engine/messages.hpp).
class Channel {
 public:
  /// @param memory_bytes  what the process uses now, for progress messages; empty: left out
  explicit Channel(int socket, std::function<std::int64_t()> memory_bytes = {})
      : socket_(socket), memory_bytes_(std::move(memory_bytes)) {}

  void send(const Json& message);
  /// Waits for the next task; nothing when the agent has closed its end. Requests to stop that came
  /// before it were for another task.
  std::optional<Json> next();
  /// Whether the running task has to end, and why. Cheap enough for every step.
  std::optional<StopReason> stop_requested();
  /// Waits until the agent has done the reduction `sequence`, and lets it know that this process
  /// lives while it waits.
  /// @param seconds  to wait at most
  /// @throws Error{communication} after that.
  void wait_reduced(std::uint64_t sequence, double seconds);
  /// Reports at most a few times a second.
  void progress(const Progress& progress);

 private:
  enum class Wait { no, yes };
  bool receive(Wait wait);
  void take(Json message);

  int socket_;
  std::function<std::int64_t()> memory_bytes_;
  std::string received_;
  std::deque<Json> tasks_;
  std::optional<StopReason> stop_;
  std::set<std::uint64_t> reduced_;  ///< not waited for yet
  std::chrono::steady_clock::time_point last_progress_;
};

}  // namespace sweep::tasks
