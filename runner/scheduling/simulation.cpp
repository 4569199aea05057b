#include "runner/scheduling/simulation.hpp"

#include <algorithm>
#include <queue>

namespace sweep::scheduling {
namespace {

struct End {
  double time = 0;
  std::size_t task = 0;
  bool operator>(const End& other) const {
    return time != other.time ? time > other.time : task > other.task;
  }
};

}  // namespace

double Simulated::lower_bound(std::size_t ranks) const {
  return ranks == 0 ? 0 : std::max(work / static_cast<double>(ranks), path);
}

Simulated simulate(const std::vector<Node>& nodes, std::size_t ranks, const Policy& policy,
                   std::size_t ranks_per_host) {
  Scheduler scheduler(nodes, policy);
  for (std::size_t rank = 0; rank < ranks; ++rank)
    scheduler.add_rank(static_cast<int>(rank), {.host = static_cast<int>(rank / ranks_per_host)});
  Simulated result{.work = scheduler.remaining_cost(), .path = scheduler.remaining_path()};
  std::priority_queue<End, std::vector<End>, std::greater<>> running;
  for (;;) {
    while (const auto start = scheduler.next())
      running.push({result.makespan + nodes[start->task].cost, start->task});
    if (running.empty()) break;
    const End end = running.top();
    running.pop();
    result.makespan = end.time;
    scheduler.done(end.task);
  }
  result.complete = scheduler.finished();
  if (result.makespan > 0)
    result.utilisation =
        (result.work - scheduler.remaining_cost()) / (result.makespan * static_cast<double>(ranks));
  return result;
}

}  // namespace sweep::scheduling
