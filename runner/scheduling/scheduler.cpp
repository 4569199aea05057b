#include "runner/scheduling/scheduler.hpp"

#include <algorithm>

#include "runner/scheduling/retry_policy.hpp"

namespace sweep::scheduling {

Scheduler::Scheduler(std::vector<Node> nodes, int attempts) : attempts_allowed_(attempts) {
  for (auto& node : nodes) entries_.push_back({.node = std::move(node)});
  for (std::size_t i = 0; i < entries_.size(); ++i)
    for (const auto input : entries_[i].node.inputs) entries_[input].dependents.push_back(i);
  for (std::size_t i = entries_.size(); i-- > 0;) {
    Entry& entry = entries_[i];
    for (const auto dependent : entry.dependents)
      entry.path = std::max(entry.path, entries_[dependent].path);
    entry.path += entry.node.cost;
    if (entry.node.done) entry.state = State::done;
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) release(i);
}

bool Scheduler::inputs_done(const Entry& entry) const {
  return std::all_of(entry.node.inputs.begin(), entry.node.inputs.end(),
                     [&](std::size_t input) { return entries_[input].state == State::done; });
}

void Scheduler::release(std::size_t task) {
  Entry& entry = entries_[task];
  if (entry.state == State::waiting && inputs_done(entry)) entry.state = State::ready;
}

std::optional<std::size_t> Scheduler::take() {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (entries_[i].state == State::ready && (!best || entries_[i].path > entries_[*best].path))
      best = i;
  if (best) entries_[*best].state = State::running;
  return best;
}

void Scheduler::done(std::size_t task) {
  entries_[task].state = State::done;
  for (const auto dependent : entries_[task].dependents) release(dependent);
}

Verdict Scheduler::failed(std::size_t task, FailureType type) {
  Entry& entry = entries_[task];
  ++entry.attempts;
  const bool stop = stops_the_run(type);
  if (stop || entry.attempts < allowed_attempts(type, attempts_allowed_)) {
    put_back(task);
    return stop ? Verdict::stop_run : Verdict::retry;
  }
  entry.state = State::failed;
  block_dependents(task);
  return Verdict::give_up;
}

void Scheduler::block_dependents(std::size_t task) {
  for (const auto dependent : entries_[task].dependents) {
    State& state = entries_[dependent].state;
    // One that runs has its inputs, even if one of them was lost since and can't be made again.
    if (state != State::waiting && state != State::ready) continue;
    state = State::blocked;
    block_dependents(dependent);
  }
}

void Scheduler::put_back(std::size_t task) {
  Entry& entry = entries_[task];
  entry.state = State::waiting;
  const auto never_done = [&](std::size_t input) {
    return entries_[input].state == State::failed || entries_[input].state == State::blocked;
  };
  if (std::any_of(entry.node.inputs.begin(), entry.node.inputs.end(), never_done)) {
    entry.state = State::blocked;
    block_dependents(task);
  } else {
    release(task);
  }
}

void Scheduler::remake(std::size_t task, std::size_t needed_by) {
  if (entries_[task].state == State::done) {
    // What waits for it must not be handed out in between.
    for (const auto dependent : entries_[task].dependents)
      if (entries_[dependent].state == State::ready) entries_[dependent].state = State::waiting;
    put_back(task);
  }
  put_back(needed_by);
}

std::size_t Scheduler::count(State state) const {
  return static_cast<std::size_t>(std::count_if(
      entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.state == state; }));
}

bool Scheduler::finished() const {
  return std::none_of(entries_.begin(), entries_.end(), [](const Entry& entry) {
    return entry.state == State::ready || entry.state == State::running ||
           entry.state == State::waiting;
  });
}

double Scheduler::remaining_cost() const {
  double cost = 0;
  for (const auto& entry : entries_)
    if (entry.state == State::waiting || entry.state == State::ready ||
        entry.state == State::running)
      cost += entry.node.cost;
  return cost;
}

double Scheduler::remaining_path() const {
  double longest = 0;
  for (const auto& entry : entries_)
    if (entry.state == State::ready || entry.state == State::running)
      longest = std::max(longest, entry.path);
  return longest;
}

}  // namespace sweep::scheduling
