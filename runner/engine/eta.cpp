#include "runner/engine/eta.hpp"

#include <algorithm>
#include <map>

namespace sweep::engine {

using scheduling::State;

std::optional<double> Eta::seconds(const scheduling::Scheduler& scheduler,
                                   std::size_t ranks) const {
  if (ranks == 0 || calibration_.tasks() == 0) return std::nullopt;
  std::map<storage::ArtifactKind, double> per_cost;
  double work = 0, longest = 0;
  std::vector<double> behind(graph_.tasks.size(), 0);  // the longest chain of what needs it
  for (std::size_t i = graph_.tasks.size(); i-- > 0;) {
    const plan::Task& task = graph_.tasks[i];
    const State state = scheduler.state(i);
    if (state != State::waiting && state != State::ready && state != State::running) continue;
    const auto kind = task.output.kind;
    if (!per_cost.contains(kind)) per_cost[kind] = *calibration_.seconds_per_cost(kind);
    const double own = per_cost[kind] * task.cost;
    work += own * task.devices;
    longest = std::max(longest, own + behind[i]);
    for (const auto input : inputs_[i]) behind[input] = std::max(behind[input], own + behind[i]);
  }
  return std::max(work / static_cast<double>(ranks), longest);
}

}  // namespace sweep::engine
