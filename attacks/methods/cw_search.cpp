#include "attacks/methods/cw_search.hpp"

#include <algorithm>
#include <utility>

namespace sweep::attacks {
namespace {

// Constants of the authors' code.
constexpr double kUnbounded = 1e10;            // the upper bound of c until the model is fooled
constexpr double kBounded = 1e9;               // upper bounds below this are bisected
constexpr std::int64_t kManySearchSteps = 10;  // with so many, the last one takes the best c again
// Our own; see CwSearch.
constexpr std::int64_t kLossWindows = 10;  // in a descent
constexpr std::int64_t kMissedWindows = 20;
constexpr double kLossFactor = 0.99;  // a loss that falls by less has stopped falling

}  // namespace

CwSearch::CwSearch(const CwSchedule& schedule) : schedule_(schedule), upper_(kUnbounded) {
  now_.constant = schedule_.initial_const;
}

CwSearch::Next CwSearch::advance(const Outcome& outcome) {
  ++now_.iteration;
  now_.fooled = now_.fooled || outcome.fooled;
  now_.loss.now += outcome.loss;
  now_.missed.now += outcome.missed;
  now_.fooled_now = now_.fooled_now || outcome.fooled;
  if (has_ended()) return next_step(true);
  const bool told = now_.fooled && schedule_.abort_early && !last_step();
  return told ? next_step(false) : Next::go_on;
}

bool CwSearch::has_ended() {
  if (now_.iteration == schedule_.iterations) return true;
  if (!schedule_.abort_early) return false;
  const bool fools = now_.fooled_lately();
  const bool misses = now_.iteration % window(kMissedWindows) == 0 && will_miss();
  const bool stalls = now_.iteration % window(kLossWindows) == 0 && has_stopped_falling();
  return fools ? stalls : misses;
}

/// A margin falls ever more slowly, so going on at its present pace is more than it will do.
bool CwSearch::will_miss() {
  const auto left = static_cast<double>(schedule_.iterations - now_.iteration) /
                    static_cast<double>(window(kMissedWindows));
  auto& [now, before] = now_.missed;
  const bool misses = now > (before - now) * left;
  before = std::exchange(now, 0);
  return misses;
}

bool CwSearch::has_stopped_falling() {
  auto& [now, before] = now_.loss;
  const bool stopped = now > before * kLossFactor;
  before = std::exchange(now, 0);
  now_.fooled_before = std::exchange(now_.fooled_now, false);
  return stopped;
}

CwSearch::Next CwSearch::next_step(bool complete) {
  if (step_ >= schedule_.search_steps) return next_completion();
  const bool pauses = now_.fooled && !complete;
  if (now_.fooled)
    upper_ = std::min(upper_, now_.constant);
  else
    lower_ = std::max(lower_, now_.constant);
  if (pauses) paused_.push_back(now_);
  can_resume_ = can_resume_ || pauses;
  if (last_step()) return next_completion();
  ++step_;
  now_ = {.constant = next_constant()};
  return pauses ? Next::pause_and_start : Next::start;
}

CwSearch::Next CwSearch::next_completion() {
  ++step_;
  if (now_.fooled_lately() || paused_.empty()) return Next::end;
  const bool resumes = std::exchange(can_resume_, false);
  now_ = resumes ? paused_.back() : Descent{.constant = paused_.back().constant};
  paused_.pop_back();
  return resumes ? Next::resume : Next::start;
}

double CwSearch::next_constant() const {
  if (last_step() && schedule_.search_steps >= kManySearchSteps) return upper_;
  return upper_ < kBounded ? (lower_ + upper_) / 2 : now_.constant * 10;
}

double CwSearch::progress() const {
  const std::int64_t descents = schedule_.search_steps + (schedule_.abort_early ? 1 : 0);
  return std::min(1.0, static_cast<double>(step_ * schedule_.iterations + now_.iteration) /
                           static_cast<double>(descents * schedule_.iterations));
}

}  // namespace sweep::attacks
