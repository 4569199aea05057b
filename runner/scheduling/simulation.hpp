#pragma once

#include <vector>

#include "runner/scheduling/scheduler.hpp"

namespace sweep::scheduling {

/// What a run would take.
struct Simulated {
  double makespan = 0;     ///< seconds from the first start to the last end
  double work = 0;         ///< device-seconds that tasks take
  double path = 0;         ///< seconds of the longest chain of tasks
  double utilisation = 0;  ///< of the ranks until the end, in [0,1]
  bool complete = true;    ///< false: some task needs more ranks than there are

  /// No schedule can be shorter.
  double lower_bound(std::size_t ranks) const;
};

/// Runs the tasks in virtual time: the decisions are those of the scheduler that production uses.
/// Nothing fails. @param nodes  with seconds as their cost
/// @param ranks_per_host  they stand together on hosts
Simulated simulate(const std::vector<Node>& nodes, std::size_t ranks, const Policy& policy = {},
                   std::size_t ranks_per_host = 8);

}  // namespace sweep::scheduling
