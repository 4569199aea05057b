#include "runner/scheduling/scheduler.hpp"

#include <algorithm>
#include <cmath>

#include "core/text.hpp"
#include "runner/scheduling/retry_policy.hpp"

namespace sweep::scheduling {
namespace {

bool is_unfinished(State state) {
  return state == State::waiting || state == State::ready || state == State::running ||
         state == State::elsewhere;
}

/// What needs the task can't run.
bool is_bad(State state) {
  return !is_unfinished(state) && state != State::done;
}

}  // namespace

bool Scheduler::Key::operator<(const Key& other) const {
  if (priority != other.priority) return priority > other.priority;
  if (path != other.path) return path > other.path;
  return task < other.task;
}

Scheduler::Scheduler(std::vector<Node> nodes, Policy policy) : policy_(policy) {
  entries_.reserve(nodes.size());
  for (auto& node : nodes) {
    check(node, entries_.size());
    for (const auto input : node.inputs) entries_[input].dependents.push_back(entries_.size());
    entries_.push_back({.node = std::move(node)});
    entries_.back().missing = entries_.back().node.inputs.size();
    ++counts_[static_cast<std::size_t>(State::waiting)];
    remaining_cost_ += entries_.back().node.cost * entries_.back().node.devices;
  }
  for (std::size_t i = entries_.size(); i-- > 0;) {
    Entry& entry = entries_[i];
    for (const auto dependent : entry.dependents)
      if (!entries_[dependent].node.done)
        entry.path = std::max(entry.path, entries_[dependent].path);
    entry.path += entry.node.cost;
    entry.priority = priority_needed(entry);
  }
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (entries_[i].node.done) set_state(i, State::done);
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (entries_[i].node.failed && !entries_[i].node.done) set_state(i, State::failed);
  for (std::size_t i = 0; i < entries_.size(); ++i) settle(i);
}

void Scheduler::check(const Node& node, std::size_t index) const {
  const bool behind = std::all_of(node.inputs.begin(), node.inputs.end(),
                                  [&](std::size_t input) { return input < index; });
  if (!behind || !std::isfinite(node.cost) || node.cost < 0 || node.devices < 1)
    throw Error(FailureType::internal,
                concat("task ", index, " can't be scheduled: cost ", node.cost, ", ", node.devices,
                       " devices", behind ? "" : ", an input behind it"));
}

Scheduler::Key Scheduler::key(std::size_t task) const {
  return {entries_[task].priority, entries_[task].path, task};
}

std::size_t Scheduler::unfinished() const {
  return count(State::waiting) + count(State::ready) + count(State::running) +
         count(State::elsewhere);
}

void Scheduler::set_state(std::size_t task, State state) {
  Entry& entry = entries_[task];
  const State old = entry.state;
  if (old == state) return;
  if (old == State::ready) ready_[entry.node.devices].erase(key(task));
  if (state == State::ready) ready_[entry.node.devices].insert(key(task));
  --counts_[static_cast<std::size_t>(old)];
  ++counts_[static_cast<std::size_t>(state)];
  const double cost = entry.node.cost * entry.node.devices;
  if (is_unfinished(old)) remaining_cost_ -= cost;
  if (is_unfinished(state)) remaining_cost_ += cost;
  for (const auto dependent : entry.dependents) {
    Entry& needs = entries_[dependent];
    if (old == State::done) ++needs.missing;
    if (state == State::done) --needs.missing;
    if (is_bad(old)) --needs.bad;
    if (is_bad(state)) ++needs.bad;
  }
  entry.state = state;
}

void Scheduler::settle(std::size_t first) {
  std::vector<std::size_t> pending{first};
  while (!pending.empty()) {
    const std::size_t task = pending.back();
    pending.pop_back();
    const Entry& entry = entries_[task];
    // One that runs has its inputs, even if one of them was lost since and can't be made again.
    const bool open = entry.state == State::waiting || entry.state == State::ready ||
                      entry.state == State::blocked;
    if (open)
      set_state(task, entry.bad > 0       ? State::blocked
                      : entry.missing > 0 ? State::waiting
                                          : State::ready);
    for (const auto dependent : entry.dependents) {
      const Entry& needs = entries_[dependent];
      const bool blocked = needs.state == State::blocked, ready = needs.state == State::ready;
      const bool waiting = needs.state == State::waiting;
      if ((waiting && needs.missing == 0) || (ready && needs.missing > 0) ||
          ((waiting || ready) && needs.bad > 0) || (blocked && needs.bad == 0))
        pending.push_back(dependent);
    }
  }
}

void Scheduler::leave_ranks(std::size_t task) {
  if (entries_[task].state == State::running) places_.give_back(entries_[task].ranks);
  entries_[task].ranks.clear();
}

void Scheduler::add_rank(int rank, Rank place) {
  places_.add(rank, place);
}

void Scheduler::remove_rank(int rank) {
  places_.remove(rank);
}

std::vector<std::size_t> Scheduler::candidates(const MayStart& may_start) const {
  std::vector<std::size_t> tasks;
  for (const auto& hold : holds_) tasks.push_back(hold.task);
  const auto held = static_cast<std::ptrdiff_t>(tasks.size());
  for (const auto& [devices, queue] : ready_)
    for (const auto& first : queue) {
      if (may_start && !may_start(first.task)) continue;
      if (!is_held_for(first.task)) tasks.push_back(first.task);
      if (entries_[first.task].avoid.empty()) break;  // what it leaves free is for those behind it
    }
  std::sort(tasks.begin() + held, tasks.end(),
            [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  // What ranks are held for comes first among its equals.
  std::stable_sort(tasks.begin(), tasks.end(), [&](std::size_t a, std::size_t b) {
    return entries_[a].priority > entries_[b].priority;
  });
  return tasks;
}

bool Scheduler::is_held_for(std::size_t task) const {
  return std::any_of(holds_.begin(), holds_.end(),
                     [&](const Hold& hold) { return hold.task == task; });
}

bool Scheduler::is_valid(const Hold& hold) const {
  const int devices = entries_[hold.task].node.devices;
  if (entries_[hold.task].state != State::ready || impossible(hold.task)) return false;
  return hold.host ? places_.host_has(*hold.host, devices) : !places_.fits_one_host(devices);
}

const Scheduler::Hold* Scheduler::hold(std::size_t task, const std::set<int>& held) {
  const auto found = std::find_if(holds_.begin(), holds_.end(),
                                  [&](const Hold& hold) { return hold.task == task; });
  if (found != holds_.end()) return &*found;
  const int devices = entries_[task].node.devices;
  Hold hold{task, places_.host_to_hold(devices, held)};
  if (!hold.host && places_.fits_one_host(devices)) return nullptr;
  return &holds_.emplace_back(hold);
}

std::optional<Start> Scheduler::next(const MayStart& may_start) {
  const bool full = policy_.max_running > 0 && count(State::running) >= policy_.max_running;
  if (full || places_.free() == 0) return std::nullopt;
  std::erase_if(holds_, [&](const Hold& hold) {
    return !is_valid(hold) || (may_start && !may_start(hold.task));
  });
  std::vector<std::size_t> overtaken;
  for (const auto task : candidates(may_start)) {
    if (impossible(task)) continue;
    const auto held = held_for_others(task);
    if (auto ranks = find_ranks(task, held)) {
      for (const auto waits : overtaken) ++entries_[waits].overtaken;
      return start(task, std::move(*ranks));
    }
    overtaken.push_back(task);
    if (entries_[task].overtaken < kMaxOvertakes) continue;
    const Hold* ranks = hold(task, held);
    if (ranks != nullptr && !ranks->host) return std::nullopt;
  }
  return std::nullopt;
}

std::set<int> Scheduler::held_for_others(std::size_t task) const {
  std::set<int> hosts;
  for (const auto& hold : holds_)
    if (hold.host && hold.task != task && entries_[hold.task].priority >= entries_[task].priority)
      hosts.insert(*hold.host);
  return hosts;
}

std::optional<std::vector<int>> Scheduler::find_ranks(std::size_t task,
                                                      const std::set<int>& held) const {
  const Entry& entry = entries_[task];
  if (entry.node.devices > 1 || !places_.has_rank_beside(entry.avoid))
    return places_.find(entry.node.devices, held);
  return places_.find_beside(entry.avoid, held);
}

Start Scheduler::start(std::size_t task, std::vector<int> ranks) {
  places_.take(ranks);
  set_state(task, State::running);
  entries_[task].overtaken = 0;
  entries_[task].ranks = ranks;
  return {task, std::move(ranks)};
}

void Scheduler::done(std::size_t task) {
  end(task, State::done);
}

void Scheduler::end(std::size_t task, State state) {
  leave_ranks(task);
  set_state(task, state);
  settle(task);
}

Verdict Scheduler::failed(std::size_t task, FailureType type) {
  Entry& entry = entries_[task];
  if (entry.state != State::running) return Verdict::give_up;
  ++entry.attempts;
  ++entry.failures[type];
  const bool stop = stops_the_run(type);
  if (stop || entry.attempts < allowed_attempts(type, policy_.attempts)) {
    put_back(task);
    return stop ? Verdict::stop_run : Verdict::retry;
  }
  end(task, State::failed);
  return Verdict::give_up;
}

void Scheduler::put_back(std::size_t task) {
  const State state = entries_[task].state;
  if (state == State::running || state == State::elsewhere) end(task, State::waiting);
}

void Scheduler::remake(std::size_t task, std::size_t needed_by) {
  if (entries_[task].state == State::done) end(task, State::waiting);
  put_back(needed_by);
}

void Scheduler::cancel(std::size_t task) {
  if (entries_[task].state != State::done) end(task, State::cancelled);
}

void Scheduler::prune(std::size_t task) {
  if (entries_[task].state != State::done) end(task, State::pruned);
}

void Scheduler::retry(std::size_t first) {
  std::vector<std::size_t> pending{first};
  while (!pending.empty()) {
    const std::size_t task = pending.back();
    pending.pop_back();
    Entry& entry = entries_[task];
    if (!is_bad(entry.state) || entry.state == State::pruned) continue;
    const bool blocked = entry.state == State::blocked;
    entry.attempts = entry.overtaken = 0;
    entry.failures.clear();
    entry.avoid.clear();
    end(task, State::waiting);
    if (blocked) pending.insert(pending.end(), entry.node.inputs.begin(), entry.node.inputs.end());
  }
}

int Scheduler::priority_needed(const Entry& entry) const {
  int priority = entry.node.priority;
  for (const auto dependent : entry.dependents)
    if (!entries_[dependent].node.done) priority = std::max(priority, entries_[dependent].priority);
  return priority;
}

void Scheduler::set_priority(std::size_t first, int priority) {
  entries_[first].node.priority = priority;
  std::vector<std::size_t> pending{first};
  while (!pending.empty()) {
    const std::size_t task = pending.back();
    pending.pop_back();
    Entry& entry = entries_[task];
    const int needed = priority_needed(entry);
    if (needed == entry.priority) continue;
    auto& queue = ready_[entry.node.devices];
    const bool queued = queue.erase(key(task)) > 0;
    entry.priority = needed;
    if (queued) queue.insert(key(task));
    pending.insert(pending.end(), entry.node.inputs.begin(), entry.node.inputs.end());
  }
}

int Scheduler::failures(std::size_t task, FailureType type) const {
  const auto found = entries_[task].failures.find(type);
  return found == entries_[task].failures.end() ? 0 : found->second;
}

const std::vector<int>& Scheduler::ranks_of(std::size_t running_task) const {
  return entries_[running_task].ranks;
}

bool Scheduler::impossible(std::size_t task) const {
  return static_cast<std::size_t>(entries_[task].node.devices) > places_.count();
}

bool Scheduler::stuck() const {
  if (finished() || count(State::running) + count(State::elsewhere) > 0) return false;
  return std::all_of(ready_.begin(), ready_.end(), [&](const auto& queue) {
    return queue.second.empty() || impossible(queue.second.begin()->task);
  });
}

std::optional<std::size_t> Scheduler::held_for(int rank) const {
  if (!places_.is_free(rank)) return std::nullopt;
  for (const auto& hold : holds_)
    if (is_valid(hold) && (!hold.host || *hold.host == places_.host_of(rank))) return hold.task;
  return std::nullopt;
}

double Scheduler::remaining_path() const {
  double longest = 0;
  for (const auto& entry : entries_)
    if (is_unfinished(entry.state)) longest = std::max(longest, entry.path);
  return longest;
}

}  // namespace sweep::scheduling
