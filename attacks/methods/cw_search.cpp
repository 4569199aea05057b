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
constexpr std::int64_t kChecks = 10;    // in a descent
constexpr double kLossFactor = 0.99;    // a loss that falls by less has stopped falling
constexpr double kMissedFactor = 0.95;  // and a margin, by less

}  // namespace

CwSearch::CwSearch(const CwSchedule& schedule) : schedule_(schedule), upper_(kUnbounded) {
  now_.constant = schedule_.initial_const;
}

CwSearch::Next CwSearch::advance(const Outcome& outcome) {
  ++now_.iteration;
  now_.fooled = now_.fooled || outcome.fooled;
  now_.period.loss += outcome.loss;
  now_.period.missed += outcome.missed;
  now_.period.fooled = now_.period.fooled || outcome.fooled;
  if (has_ended()) return next_step(true);
  const bool told = now_.fooled && schedule_.abort_early && !last_step();
  return told ? next_step(false) : Next::go_on;
}

bool CwSearch::has_ended() {
  const bool whole = now_.iteration == schedule_.iterations;
  const std::int64_t period = (schedule_.iterations + kChecks - 1) / kChecks;
  if (!schedule_.abort_early || now_.iteration % period != 0) return whole;
  const bool stalled = now_.fooled ? now_.period.loss > now_.last_period.loss * kLossFactor
                                   : now_.period.missed > now_.last_period.missed * kMissedFactor;
  now_.last_period = now_.period;
  now_.period = {0, 0, false};
  return stalled || whole;
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
  const bool settled = now_.fooled && (now_.period.fooled || now_.last_period.fooled);
  if (settled || paused_.empty()) return Next::end;
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
