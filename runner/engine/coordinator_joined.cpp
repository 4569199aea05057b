// Several runs in one store: who makes what, and what others have made.

#include <algorithm>

#include "core/text.hpp"
#include "runner/engine/coordinator.hpp"

namespace sweep::engine {

using scheduling::State;

namespace {

constexpr double kSecondsBetweenLooks = 2;
constexpr double kLongestTick = 0.1;  // messages wait meanwhile

}  // namespace

void Coordinator::start_tasks() {
  const auto since = Clock::now();
  const auto fitting = [this](std::size_t task) { return fits(task); };
  const auto may_start = setup_.end ? scheduling::Scheduler::MayStart(fitting) : nullptr;
  while (const auto next = scheduler_.next(may_start)) {
    if (!setup_.joined || take(next->task)) start(*next);
    if (seconds_since(since) > kLongestTick) return;
  }
}

/// True: this run makes it. Else the task has left its ranks: another run makes it, or has made it.
bool Coordinator::take(std::size_t index) {
  const std::string& hash = task(index).output.hash;
  if (!setup_.member.claim(hash)) {
    scheduler_.leave_to_others(index);
    elsewhere_.insert(index);
    return false;
  }
  if (!is_made(index)) return true;
  setup_.member.release(hash);
  found(index);
  return false;
}

/// Nobody needs a temporary artifact once all that is made of it is there: it may be gone already.
bool Coordinator::is_made(std::size_t index) const {
  if (setup_.store.verify(task(index).output)) return true;
  const auto users = users_.find(index);
  return users != users_.end() &&
         std::all_of(users->second.begin(), users->second.end(),
                     [&](std::size_t user) { return setup_.store.contains(task(user).output); });
}

void Coordinator::found(std::size_t index) {
  scheduler_.done(index);
  elsewhere_.erase(index);
  remove_temporary_inputs(index);
  setup_.log.append("found", task(index), Json::object());
}

/// What others have made, and what they make no longer.
void Coordinator::look_elsewhere() {
  if (seconds_since(last_look_) < kSecondsBetweenLooks) return;
  last_look_ = Clock::now();
  if (find_expelled() || elsewhere_.empty()) return;
  for (const auto dead : setup_.member.remove_dead())
    setup_.progress.note(concat("run number ", dead,
                                " of this folder is dead; what it was working on is free again"));
  const auto tasks = elsewhere_;
  for (const auto index : tasks) {
    if (scheduler_.state(index) != State::elsewhere) {  // cancelled
      elsewhere_.erase(index);
    } else if (is_made(index)) {
      found(index);
    } else if (!setup_.member.is_claimed(task(index).output.hash)) {
      elsewhere_.erase(index);
      scheduler_.put_back(index);
    }
  }
}

/// Another run has taken this one for dead and may be making what this one makes: nothing that it
/// did from now on would be published.
bool Coordinator::find_expelled() {
  if (storage::is_member(setup_.store.root(), setup_.member.epoch())) return false;
  if (!expelled_)
    stop(Stop::save,
         "another run has taken this one for dead, which happens where file locks do "
         "not reach from host to host; what it makes would not be accepted");
  expelled_ = true;
  return true;
}

}  // namespace sweep::engine
