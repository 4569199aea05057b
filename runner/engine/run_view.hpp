#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "runner/engine/clock.hpp"

namespace sweep::engine {

/// Tasks by state.
struct Counts {
  std::size_t total = 0, done = 0, failed = 0, blocked = 0, cancelled = 0, pruned = 0, running = 0,
              ready = 0, waiting = 0, elsewhere = 0;

  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Counts, total, done, failed, blocked, cancelled, pruned, running,
                                 ready, waiting, elsewhere)
};

/// All tasks that make one kind of artifact.
struct StageView {
  std::string kind;
  std::size_t total = 0, done = 0, failed = 0, running = 0;

  NLOHMANN_DEFINE_TYPE_INTRUSIVE(StageView, kind, total, done, failed, running)
};

/// A rank, and what it is doing.
struct RankView {
  int rank = 0;
  std::string host, device;
  std::string state = "starting";  ///< starting, idle, busy, held (by a task of several), lost, out
  std::optional<std::size_t> task;  ///< index of the one that it leads
  std::string label, log;
  int attempt = 0;
  Clock::time_point since;
  double fraction = 0;  ///< of the task, in [0,1]
  std::string text;     ///< what the task says of itself
  /// What else it reports, where it means something.
  std::optional<double> memory_bytes, epoch, loss, images_per_second;
};

/// It has tasks, or may get some.
inline bool is_working(const RankView& rank) {
  return rank.state == "idle" || rank.state == "busy" || rank.state == "held";
}

struct FailureView {
  std::size_t task = 0;
  std::string label, failure, message, log;
  bool final = false;  ///< there will be no further attempt

  NLOHMANN_DEFINE_TYPE_INTRUSIVE(FailureView, task, label, failure, message, log, final)
};

/// A run as people see it: status.json, the live view and `status` show nothing else.
struct RunView {
  std::string state = "running";  ///< running, draining, finished, interrupted, failed
  std::optional<int> exit_code;
  bool by_request = false;  ///< somebody has asked for its end
  bool too_short = false;   ///< no task fits into the time that the run was given
  Counts counts;
  std::vector<StageView> stages;
  std::vector<RankView> ranks;
  std::deque<FailureView> failures;  ///< the last ones, newest at the end
  std::optional<double> eta_s;       ///< once it can be estimated
  Clock::time_point started = Clock::now();
};

Json to_json(const RankView& rank);

/// Without "epoch" (of the run), "time", "host" and "pid", which the file has in addition.
Json to_json(const RunView& view);

}  // namespace sweep::engine
