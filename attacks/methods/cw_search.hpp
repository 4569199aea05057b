#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace sweep::attacks {

/// How long the attack of Carlini and Wagner searches for an image.
struct CwSchedule {
  std::int64_t search_steps = 5;   ///< values of c that are tried
  std::int64_t iterations = 1000;  ///< of Adam, from the clean image, for each of them
  double initial_const = 0.01;     ///< the first c
  bool abort_early = true;         ///< leave out iterations that change little
};

/// What one image's search knows, and what it does next: the binary search of c, without a tensor.
///
/// Each c is tried by a descent from the clean image. c is bisected between values that never
/// fooled the model and values that did, and raised tenfold before any did, as in the authors'
/// code.
///
/// With abort_early less is done than there; the values of c are the same, but for rare images:
/// - a descent that does not fool the model ends when, coming nearer at its present pace, it would
///   not do so in the iterations that are left, and one that does, when its loss no longer falls.
///   Both are judged by sums over windows of iterations: those of one image swing around the
///   boundary. (The authors compare the losses of two moments, summed over a batch.)
/// - a descent that fools the model has told all that the bisection asks, and pauses. Afterwards
///   that with the smallest c goes on to its end. Should the model be right again there, so that it
///   was fooled in passing only, the next larger c follows, from the clean image.
class CwSearch {
 public:
  explicit CwSearch(const CwSchedule& schedule);

  /// What the model says of an image in an iteration, before its step.
  struct Outcome {
    double loss;
    double missed;  ///< f, by which it misses to fool the model: 0 where it does not
    bool fooled;
  };

  enum class Next {
    go_on,
    start,            ///< from the clean image, with the next c
    pause_and_start,  ///< the same; the present descent is kept in the place of what was before
    resume,           ///< the descent that is kept
    end
  };

  Next advance(const Outcome& outcome);

  double constant() const { return now_.constant; }
  /// Iterations that the present descent has done.
  std::int64_t iteration() const { return now_.iteration; }
  /// Part of the search that is done, in [0,1]; it never falls.
  double progress() const;

 private:
  /// Sums over the present window and the one before.
  struct Windows {
    double now = 0, before = std::numeric_limits<double>::infinity();
  };
  struct Descent {
    double constant = 0;
    std::int64_t iteration = 0;
    bool fooled = false;
    Windows loss, missed;
    bool fooled_now = false, fooled_before = false;  ///< in the windows of the loss

    /// And not at its beginning alone, where first steps overshoot.
    bool fooled_lately() const { return fooled_now || fooled_before; }
  };

  bool last_step() const { return step_ + 1 >= schedule_.search_steps; }
  std::int64_t window(std::int64_t windows) const {
    return (schedule_.iterations + windows - 1) / windows;
  }
  bool has_ended();
  bool will_miss();
  bool has_stopped_falling();
  Next next_step(bool complete);
  Next next_completion();
  double next_constant() const;

  CwSchedule schedule_;
  std::int64_t step_ = 0;  ///< from search_steps on: descents that are completed
  double lower_ = 0, upper_;
  Descent now_;
  std::vector<Descent> paused_;  ///< those that fooled the model, of falling c
  bool can_resume_ = false;      ///< the last of them is kept
};

}  // namespace sweep::attacks
