// What the attack of Carlini and Wagner does next, told outcomes by hand.
#include "attacks/methods/cw_search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

namespace sweep::attacks {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

/// One descent of a search, or what follows where it is resumed.
struct Run {
  double constant;
  std::int64_t iterations;  ///< since the clean image
};

/// What the model says at c in an iteration, from 1.
using Answer = std::function<CwSearch::Outcome(double constant, std::int64_t iteration)>;

constexpr CwSearch::Outcome kFooled{.loss = 1, .missed = 0, .fooled = true};

std::vector<Run> runs_of(const CwSchedule& schedule, const Answer& answer) {
  CwSearch search(schedule);
  std::vector<Run> runs;
  Run kept{0, -1};
  double progress = 0;
  for (auto next = CwSearch::Next::start; next != CwSearch::Next::end;) {
    if (next == CwSearch::Next::pause_and_start) kept = runs.back();
    if (next == CwSearch::Next::resume) runs.push_back(kept);
    if (next == CwSearch::Next::start || next == CwSearch::Next::pause_and_start)
      runs.push_back({search.constant(), 0});
    EXPECT_EQ(search.constant(), runs.back().constant);
    EXPECT_EQ(search.iteration(), runs.back().iterations);
    next = search.advance(answer(search.constant(), ++runs.back().iterations));
    EXPECT_GE(search.progress(), progress);
    progress = search.progress();
    EXPECT_LE(progress, 1);
  }
  return runs;
}

std::vector<double> constants(const std::vector<Run>& runs) {
  std::vector<double> values;
  for (const auto& run : runs) values.push_back(run.constant);
  return values;
}

std::vector<std::int64_t> iterations(const std::vector<Run>& runs) {
  std::vector<std::int64_t> values;
  for (const auto& run : runs) values.push_back(run.iterations);
  return values;
}

/// Fooled from the tenth iteration on where c is large enough; otherwise nearer to it at a pace
/// that does until the last look, which of 100 iterations is behind the 95th.
Answer fooled_from(double smallest) {
  return [smallest](double constant, std::int64_t iteration) {
    const double falling = std::pow(0.9, iteration);
    if (constant < smallest) return CwSearch::Outcome{falling, falling, false};
    return CwSearch::Outcome{falling, iteration < 10 ? falling : 0, iteration >= 10};
  };
}

TEST(CwSearch, RaisesTenfoldAndThenBisects) {
  const auto runs =
      runs_of({.search_steps = 6, .iterations = 100, .abort_early = false}, fooled_from(0.4));
  EXPECT_THAT(constants(runs), Pointwise(DoubleNear(1e-12), {0.01, 0.1, 1.0, 0.55, 0.325, 0.4375}));
  EXPECT_THAT(iterations(runs), ElementsAre(100, 100, 100, 100, 100, 100));
}

TEST(CwSearch, WithManyStepsTheLastTakesTheBestAgain) {
  const auto runs =
      runs_of({.search_steps = 10, .iterations = 20, .abort_early = false}, fooled_from(0.4));
  const auto tried = constants(runs);
  EXPECT_THAT(
      std::vector(tried.begin() + 3, tried.end()),
      Pointwise(DoubleNear(1e-12), {0.55, 0.325, 0.4375, 0.38125, 0.409375, 0.3953125, 0.409375}));
}

TEST(CwSearch, ADescentThatFooledIsCompletedOnlyWhenItsConstantIsTheSmallest) {
  const auto runs = runs_of({.search_steps = 5, .iterations = 100}, fooled_from(0.4));
  EXPECT_THAT(constants(runs), Pointwise(DoubleNear(1e-12), {0.01, 0.1, 1.0, 0.55, 0.325, 0.55}));
  EXPECT_THAT(iterations(runs), ElementsAre(95, 95, 10, 10, 95, 100));
}

/// Of two that were paused, the one that is kept is resumed; the other starts again.
TEST(CwSearch, OnlyTheLastPausedDescentIsResumed) {
  std::vector<std::int64_t> asked;
  const Answer answer = [&](double constant, std::int64_t iteration) {
    if (constant == 0.55) asked.push_back(iteration);
    const double falling = std::pow(0.9, iteration);
    const bool fooled = constant > 0.6 ? iteration >= 10 : constant > 0.3 && iteration == 10;
    return CwSearch::Outcome{falling, fooled ? 0 : falling, fooled};
  };
  const auto runs = runs_of({.search_steps = 5, .iterations = 100}, answer);
  EXPECT_THAT(constants(runs),
              Pointwise(DoubleNear(1e-12), {0.01, 0.1, 1.0, 0.55, 0.325, 0.55, 1.0}));
  EXPECT_THAT(iterations(runs), ElementsAre(95, 95, 10, 10, 95, 95, 100));
  std::vector<std::int64_t> each(95);
  std::iota(each.begin(), each.end(), 1);
  EXPECT_EQ(asked, each) << "no iteration twice";
}

TEST(CwSearch, TheLastStepIsCompletedAtOnce) {
  const auto runs = runs_of({.search_steps = 5, .iterations = 100}, fooled_from(0.2));
  EXPECT_THAT(constants(runs), Pointwise(DoubleNear(1e-12), {0.01, 0.1, 1.0, 0.55, 0.325}));
  EXPECT_THAT(iterations(runs), ElementsAre(95, 95, 10, 10, 100));
}

TEST(CwSearch, WhatFooledInPassingIsFollowedByTheNextLargerConstant) {
  const Answer answer = [](double constant, std::int64_t iteration) {
    const double falling = std::pow(0.9, iteration);
    const bool fooled = constant > 0.5 ? iteration >= 10 : constant > 0.3 && iteration == 10;
    return CwSearch::Outcome{falling, fooled ? 0 : falling, fooled};
  };
  const auto runs = runs_of({.search_steps = 5, .iterations = 100}, answer);
  EXPECT_THAT(constants(runs), Pointwise(DoubleNear(1e-12), {0.01, 0.1, 1.0, 0.55, 0.325, 0.55}));
  EXPECT_THAT(iterations(runs), ElementsAre(95, 95, 10, 10, 95, 100));
}

TEST(CwSearch, ADescentThatComesNoNearerEnds) {
  const Answer answer = [](double, std::int64_t) {
    return CwSearch::Outcome{.loss = 1, .missed = 5, .fooled = false};
  };
  EXPECT_THAT(iterations(runs_of({.search_steps = 3, .iterations = 100}, answer)),
              ElementsAre(10, 10, 10));
}

TEST(CwSearch, ADescentWhoseLossDoesNotFallEnds) {
  const Answer answer = [](double, std::int64_t) { return kFooled; };
  EXPECT_THAT(iterations(runs_of({.search_steps = 1, .iterations = 100}, answer)), ElementsAre(20));
}

TEST(CwSearch, FewIterationsAreCheckedOneByOne) {
  const Answer answer = [](double, std::int64_t) { return kFooled; };
  EXPECT_THAT(iterations(runs_of({.search_steps = 2, .iterations = 1}, answer)), ElementsAre(1, 1));
  EXPECT_THAT(iterations(runs_of({.search_steps = 1, .iterations = 5}, answer)), ElementsAre(2));
}

}  // namespace
}  // namespace sweep::attacks
