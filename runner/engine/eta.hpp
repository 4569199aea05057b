#pragma once

#include <map>
#include <optional>

#include "runner/plan/graph.hpp"
#include "runner/scheduling/scheduler.hpp"

namespace sweep::engine {

/// When a run will end, from what its tasks have taken so far.
class Eta {
 public:
  void add(const plan::Task& task, double seconds) {
    cost_ += task.cost * task.devices;
    seconds_ += seconds * task.devices;
  }

  /// Seconds; nothing before the first task has ended. @param ranks  that work
  std::optional<double> seconds(const scheduling::Scheduler& scheduler, std::size_t ranks) const {
    if (cost_ <= 0 || seconds_ <= 0 || ranks == 0) return std::nullopt;
    return seconds_ / cost_ *
           std::max(scheduler.remaining_cost() / static_cast<double>(ranks),
                    scheduler.remaining_path());
  }

 private:
  double cost_ = 0, seconds_ = 0;
};

}  // namespace sweep::engine
