#include "runner/engine/eta.hpp"

#include <algorithm>

namespace sweep::engine {
namespace {

using scheduling::State;

constexpr double kTelling = 0.02;  // of a task: from then on, how far it is says how long it takes

/// What is left of a task that takes so many seconds.
double rest(double seconds, const RankView& rank) {
  return rank.fraction > 0 ? seconds * (1 - std::min(rank.fraction, 1.0))
                           : std::max(seconds - seconds_since(rank.since), 0.0);
}

}  // namespace

plan::Rates Eta::rates(const std::vector<RankView>& ranks) const {
  plan::Rates rates = before_;
  rates.prefer(measured_.rates());
  if (!rates.empty()) return rates;
  plan::Calibration running;
  for (const auto& rank : ranks) {
    if (!rank.task || rank.fraction < kTelling) continue;
    const plan::Task& task = graph_.tasks[*rank.task];
    running.add(task.output.kind, task.cost, seconds_since(rank.since) / rank.fraction,
                rank.device);
  }
  return running.rates();
}

std::optional<double> Eta::seconds(const scheduling::Scheduler& scheduler,
                                   const std::vector<RankView>& ranks) const {
  const plan::Rates known = rates(ranks);
  const auto working = std::count_if(ranks.begin(), ranks.end(), is_working);
  if (working == 0 || known.empty()) return std::nullopt;
  std::vector<const RankView*> on(graph_.tasks.size(), nullptr);
  for (const auto& rank : ranks)
    if (rank.task) on[*rank.task] = &rank;
  double work = 0, longest = 0;
  std::vector<double> behind(graph_.tasks.size(), 0);  // the longest chain of what needs it
  for (std::size_t i = graph_.tasks.size(); i-- > 0;) {
    const plan::Task& task = graph_.tasks[i];
    const State state = scheduler.state(i);
    if (state != State::waiting && state != State::ready && state != State::running &&
        state != State::elsewhere)
      continue;
    const double whole = known.seconds(task.output.kind, task.cost).value_or(0);
    const double own = on[i] == nullptr ? whole : rest(whole, *on[i]);
    work += own * task.devices;
    longest = std::max(longest, own + behind[i]);
    for (const auto input : inputs_[i]) behind[input] = std::max(behind[input], own + behind[i]);
  }
  return std::max(work / static_cast<double>(working), longest);
}

}  // namespace sweep::engine
