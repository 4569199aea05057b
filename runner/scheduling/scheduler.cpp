#include "runner/scheduling/scheduler.hpp"
#include <algorithm>
#include "runner/scheduling/retry_policy.hpp"
namespace sweep::scheduling {
Scheduler::Scheduler(std::vector<Node> nodes, Policy policy) : policy_(policy) {
  for (auto& node : nodes) entries_.push_back({.node = std::move(node)});
  for (std::size_t i = 0; i < entries_.size(); ++i)
    for (const auto input : entries_[i].node.inputs) entries_[input].dependents.push_back(i);
  for (std::size_t i = entries_.size(); i-- > 0;) {
    Entry& e = entries_[i];
    for (const auto d : e.dependents) e.path = std::max(e.path, entries_[d].path);
    e.path += e.node.cost;
    if (e.node.done) e.state = State::done;
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) if (entries_[i].node.failed) { entries_[i].state = State::failed; block(i); }
  for (std::size_t i = 0; i < entries_.size(); ++i) release(i);
}
void Scheduler::add_rank(int rank, Rank) { free_[rank] = true; }
void Scheduler::remove_rank(int rank) { free_.erase(rank); }
bool Scheduler::inputs_done(const Entry& e) const {
  return std::all_of(e.node.inputs.begin(), e.node.inputs.end(), [&](auto i) { return entries_[i].state == State::done; });
}
void Scheduler::release(std::size_t t) {
  Entry& e = entries_[t];
  if (e.state == State::waiting && inputs_done(e)) e.state = State::ready;
}
std::optional<Start> Scheduler::next() {
  if (policy_.max_running > 0 && count(State::running) >= policy_.max_running) return std::nullopt;
  std::vector<int> ranks;
  for (const auto& [r, f] : free_) if (f) ranks.push_back(r);
  std::optional<std::size_t> best;
  const auto key = [&](std::size_t i) { return std::make_pair(entries_[i].node.priority, entries_[i].path); };
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (entries_[i].state == State::ready && entries_[i].node.devices <= static_cast<int>(ranks.size()) && (!best || key(i) > key(*best))) best = i;
  if (!best) return std::nullopt;
  Entry& e = entries_[*best];
  e.state = State::running;
  ranks.resize(static_cast<std::size_t>(e.node.devices));
  for (int r : ranks) free_[r] = false;
  e.ranks = ranks;
  return Start{*best, ranks};
}
void Scheduler::free(std::size_t t) {
  for (int r : entries_[t].ranks) if (free_.contains(r)) free_[r] = true;
  entries_[t].ranks.clear();
}
void Scheduler::done(std::size_t t) {
  free(t);
  entries_[t].state = State::done;
  for (const auto d : entries_[t].dependents) release(d);
}
Verdict Scheduler::failed(std::size_t t, FailureType type) {
  Entry& e = entries_[t];
  ++e.attempts; ++e.failures[type];
  const bool stop = stops_the_run(type);
  if (stop || e.attempts < allowed_attempts(type, policy_.attempts)) { put_back(t); return stop ? Verdict::stop_run : Verdict::retry; }
  free(t);
  e.state = State::failed; block(t);
  return Verdict::give_up;
}
void Scheduler::block(std::size_t t) {
  for (const auto d : entries_[t].dependents) {
    State& s = entries_[d].state;
    if (s != State::waiting && s != State::ready) continue;
    s = State::blocked; block(d);
  }
}
void Scheduler::put_back(std::size_t t) {
  free(t);
  Entry& e = entries_[t];
  e.state = State::waiting;
  const auto never = [&](std::size_t i) { const State s = entries_[i].state; return s == State::failed || s == State::blocked || s == State::cancelled || s == State::pruned; };
  if (std::any_of(e.node.inputs.begin(), e.node.inputs.end(), never)) { e.state = State::blocked; block(t); } else release(t);
}
void Scheduler::remake(std::size_t t, std::size_t by) {
  if (entries_[t].state == State::done) {
    for (const auto d : entries_[t].dependents) if (entries_[d].state == State::ready) entries_[d].state = State::waiting;
    put_back(t);
  }
  put_back(by);
}
void Scheduler::cancel(std::size_t t) { if (entries_[t].state == State::done) return; entries_[t].state = State::cancelled; block(t); }
void Scheduler::prune(std::size_t t) { if (entries_[t].state == State::done) return; entries_[t].state = State::pruned; block(t); }
void Scheduler::retry(std::size_t t) {
  entries_[t].attempts = 0; put_back(t);
  for (const auto d : entries_[t].dependents) if (entries_[d].state == State::blocked) retry(d);
}
void Scheduler::set_priority(std::size_t t, int p) { entries_[t].node.priority = p; }
State Scheduler::state(std::size_t t) const { return entries_[t].state; }
int Scheduler::attempts(std::size_t t) const { return entries_[t].attempts; }
int Scheduler::failures(std::size_t t, FailureType f) const { const auto& m = entries_[t].failures; return m.contains(f) ? m.at(f) : 0; }
const std::vector<int>& Scheduler::ranks_of(std::size_t t) const { return entries_[t].ranks; }
std::size_t Scheduler::count(State s) const { return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.state == s; })); }
bool Scheduler::finished() const { return count(State::ready) + count(State::running) + count(State::waiting) == 0; }
double Scheduler::remaining_cost() const { double c = 0; for (const auto& e : entries_) if (e.state == State::waiting || e.state == State::ready || e.state == State::running) c += e.node.cost; return c; }
double Scheduler::remaining_path() const { double l = 0; for (const auto& e : entries_) if (e.state == State::ready || e.state == State::running) l = std::max(l, e.path); return l; }
}
