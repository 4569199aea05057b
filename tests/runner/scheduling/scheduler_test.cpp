#include "runner/scheduling/scheduler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runner/scheduling/retry_policy.hpp"

namespace sweep::scheduling {
namespace {

constexpr int kAttempts = 3;

/// Everything in this file that needs no more has ranks enough.
Scheduler with_ranks(std::vector<Node> nodes, int ranks = 8) {
  Scheduler scheduler(std::move(nodes), {.attempts = kAttempts});
  for (int rank = 0; rank < ranks; ++rank) scheduler.add_rank(rank, {});
  return scheduler;
}

std::optional<std::size_t> take(Scheduler& scheduler) {
  const auto start = scheduler.next();
  return start ? std::optional(start->task) : std::nullopt;
}

/// 0 -> 1 -> 3 and 2, alone: the chain is longer in all, though 2 is longer than each of its parts.
std::vector<Node> chain_and_single() {
  return {{.inputs = {}, .cost = 2},
          {.inputs = {0}, .cost = 2},
          {.inputs = {}, .cost = 5},
          {.inputs = {1}, .cost = 2}};
}

TEST(Scheduler, TakesTheLongestRemainingPathFirst) {
  Scheduler scheduler = with_ranks(chain_and_single());
  EXPECT_EQ(scheduler.remaining_path(), 6);
  EXPECT_EQ(take(scheduler), 0U);
  EXPECT_EQ(take(scheduler), 2U);
  EXPECT_EQ(take(scheduler), std::nullopt) << "task 1 waits for its input";
  scheduler.done(0);
  EXPECT_EQ(scheduler.remaining_cost(), 9);
  EXPECT_EQ(take(scheduler), 1U);
  scheduler.done(1);
  scheduler.done(2);
  EXPECT_FALSE(scheduler.finished());
  EXPECT_EQ(take(scheduler), 3U);
  scheduler.done(3);
  EXPECT_TRUE(scheduler.finished());
  EXPECT_EQ(scheduler.remaining_cost(), 0);
}

TEST(Scheduler, SkipsWhatIsThereAlready) {
  auto nodes = chain_and_single();
  nodes[0].done = nodes[1].done = true;
  Scheduler scheduler = with_ranks(nodes);
  EXPECT_EQ(take(scheduler), 2U);
  EXPECT_EQ(take(scheduler), 3U);
  EXPECT_EQ(scheduler.count(State::done), 2U);
}

TEST(Scheduler, WhatIsMadeElsewhereTakesNoRankAndIsWaitedFor) {
  Scheduler scheduler = with_ranks(chain_and_single(), 1);
  ASSERT_EQ(take(scheduler), 0U);
  scheduler.leave_to_others(0);
  EXPECT_EQ(scheduler.state(0), State::elsewhere);
  ASSERT_EQ(take(scheduler), 2U) << "the rank is free for another";
  scheduler.done(2);
  EXPECT_EQ(take(scheduler), std::nullopt);
  EXPECT_FALSE(scheduler.finished());
  EXPECT_FALSE(scheduler.stuck()) << "it may come at any time";
  EXPECT_EQ(scheduler.remaining_cost(), 6);
  scheduler.put_back(0);
  EXPECT_EQ(take(scheduler), 0U) << "nobody makes it any more";
  EXPECT_EQ(scheduler.attempts(0), 0);
  scheduler.leave_to_others(0);
  scheduler.done(0);
  EXPECT_EQ(take(scheduler), 1U);
  scheduler.leave_to_others(1);
  scheduler.cancel(1);
  EXPECT_EQ(scheduler.state(3), State::blocked);
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, TwoCrashesFailATaskAndBlockWhatNeedsIt) {
  Scheduler scheduler = with_ranks(chain_and_single());
  take(scheduler);
  EXPECT_EQ(scheduler.failed(0, FailureType::crash), Verdict::retry);
  EXPECT_EQ(take(scheduler), 0U);
  EXPECT_EQ(scheduler.failed(0, FailureType::crash), Verdict::give_up);
  EXPECT_EQ(scheduler.state(0), State::failed);
  EXPECT_EQ(scheduler.state(1), State::blocked);
  EXPECT_EQ(scheduler.state(3), State::blocked);
  EXPECT_EQ(take(scheduler), 2U) << "the rest goes on";
  scheduler.done(2);
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, ATaskGoesToAnotherRankWhileThereIsOne) {
  Scheduler scheduler = with_ranks({{.inputs = {}, .cost = 9}, {.inputs = {}, .cost = 1}}, 2);
  const auto first = scheduler.next(), other = scheduler.next();
  ASSERT_EQ(first->task, 0U);
  scheduler.failed(0, FailureType::crash);
  scheduler.avoid(0, first->ranks[0]);
  EXPECT_EQ(scheduler.next(), std::nullopt) << "it waits for the rank that is busy";
  scheduler.done(other->task);
  EXPECT_EQ(scheduler.next()->ranks, other->ranks);
  scheduler.put_back(0);
  scheduler.remove_rank(other->ranks[0]);
  EXPECT_EQ(scheduler.next()->ranks, first->ranks) << "better than none";
}

TEST(Scheduler, ARankThatATaskAvoidsGoesOnWithOthers) {
  Scheduler scheduler = with_ranks(
      {{.inputs = {}, .cost = 9}, {.inputs = {}, .cost = 2}, {.inputs = {}, .cost = 1}}, 2);
  const auto first = scheduler.next();
  scheduler.next();
  scheduler.failed(0, FailureType::crash);
  scheduler.avoid(0, first->ranks[0]);
  const auto next = scheduler.next();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->task, 2U);
  EXPECT_EQ(next->ranks, first->ranks);
}

TEST(Scheduler, AnInterruptionCostsNoAttempt) {
  Scheduler scheduler = with_ranks({{.cost = 1}});
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(take(scheduler), 0U);
    scheduler.put_back(0);
  }
  EXPECT_EQ(scheduler.attempts(0), 0);
}

TEST(Scheduler, AFullDiskStopsTheRunAndLeavesTheTaskReady) {
  Scheduler scheduler = with_ranks({{.cost = 1}});
  take(scheduler);
  EXPECT_EQ(scheduler.failed(0, FailureType::storage), Verdict::stop_run);
  EXPECT_EQ(scheduler.state(0), State::ready);
}

TEST(Scheduler, MakesALostArtifactAgainBeforeItsReadersRun) {
  Scheduler scheduler =
      with_ranks({{.cost = 1}, {.inputs = {0}, .cost = 1}, {.inputs = {0}, .cost = 1}});
  take(scheduler);
  scheduler.done(0);
  EXPECT_EQ(take(scheduler), 1U);
  scheduler.remake(0, 1);  // task 1 found its input damaged
  EXPECT_EQ(take(scheduler), 0U);
  EXPECT_EQ(take(scheduler), std::nullopt) << "task 2 must wait as well";
  scheduler.done(0);
  EXPECT_NE(take(scheduler), std::nullopt);
  EXPECT_NE(take(scheduler), std::nullopt);
}

TEST(Scheduler, ATaskThatIsRetriedHasAllItsAttemptsAgain) {
  Scheduler scheduler = with_ranks({{.cost = 1}, {.inputs = {0}, .cost = 1}});
  for (int round = 0; round < 2; ++round) {
    for (const auto verdict : {Verdict::retry, Verdict::give_up}) {
      EXPECT_EQ(take(scheduler), 0U);
      EXPECT_EQ(scheduler.failed(0, FailureType::crash), verdict);
    }
    EXPECT_EQ(scheduler.state(1), State::blocked);
    scheduler.retry(1);
    EXPECT_EQ(scheduler.state(0), State::ready);
    EXPECT_EQ(scheduler.state(1), State::waiting);
  }
}

TEST(Scheduler, RanksAreNotHeldOnAHostThatHasBecomeTooSmall) {
  std::vector<Node> nodes{{.inputs = {}, .cost = 1}, {.inputs = {0}, .cost = 100, .devices = 2}};
  for (int i = 0; i < 20; ++i) nodes.push_back({.inputs = {}, .cost = 1});
  Scheduler scheduler(nodes, {});
  for (int rank = 0; rank < 4; ++rank) scheduler.add_rank(rank, {.host = rank / 2});
  std::vector<std::size_t> on(4);  // rank -> task
  const auto fill = [&] {
    while (const auto start = scheduler.next())
      for (const int rank : start->ranks) on[static_cast<std::size_t>(rank)] = start->task;
  };
  fill();
  scheduler.done(0);
  fill();
  int free = 0;
  for (int i = 0; i < 10 && !scheduler.held_for(free); ++i) {
    free = i % 2 * 2;  // one of a host and one of the other: never two that are free at once
    scheduler.done(on[static_cast<std::size_t>(free)]);
    fill();
  }
  ASSERT_EQ(scheduler.held_for(free), 1U);
  scheduler.remove_rank(free + 1);
  const auto start = scheduler.next();
  ASSERT_TRUE(start) << "the rank that is left is of no use to the large task";
  EXPECT_EQ(start->ranks, std::vector<int>{free});
}

TEST(RetryPolicy, WhatWouldFailAgainIsNotTriedAgain) {
  for (const auto type : {FailureType::bad_input, FailureType::bad_data, FailureType::not_finite})
    EXPECT_EQ(allowed_attempts(type, 9), 1) << to_string(type);
  EXPECT_EQ(allowed_attempts(FailureType::out_of_memory, 9), 3);
  for (const auto type : {FailureType::crash, FailureType::timeout, FailureType::internal,
                          FailureType::communication})
    EXPECT_EQ(allowed_attempts(type, 9), 2) << to_string(type);
  for (const auto type : {FailureType::device_lost, FailureType::agent_lost})
    EXPECT_EQ(allowed_attempts(type, 9), 9) << to_string(type);
}

TEST(Scheduler, APriorityCountsBeforeTheLongestPath) {
  Scheduler scheduler = with_ranks({{.cost = 9}, {.cost = 1, .priority = 1}, {.cost = 5}});
  EXPECT_EQ(take(scheduler), 1U);
  scheduler.set_priority(2, 3);
  EXPECT_EQ(take(scheduler), 2U);
  EXPECT_EQ(take(scheduler), 0U);
}

TEST(Scheduler, WhatATaskNeedsHasItsPriority) {
  const std::vector<Node> nodes{{.cost = 9}, {.cost = 1}, {.inputs = {1}, .cost = 1}};
  auto planned = nodes;
  planned[2].priority = 1;
  Scheduler from_the_start = with_ranks(planned);
  EXPECT_EQ(take(from_the_start), 1U);
  Scheduler later = with_ranks(nodes);
  later.set_priority(2, 1);
  EXPECT_EQ(take(later), 1U);
  Scheduler taken_back = with_ranks(planned);
  taken_back.set_priority(2, 0);
  EXPECT_EQ(take(taken_back), 0U);
}

TEST(Scheduler, CancelledAndPrunedTasksBlockWhatNeedsThem) {
  Scheduler scheduler = with_ranks(
      {{.cost = 1}, {.inputs = {0}, .cost = 1}, {.cost = 1}, {.inputs = {2}, .cost = 1}});
  scheduler.cancel(0);
  scheduler.prune(2);
  EXPECT_EQ(scheduler.state(1), State::blocked);
  EXPECT_EQ(scheduler.state(3), State::blocked);
  EXPECT_TRUE(scheduler.finished());
  scheduler.retry(1);
  scheduler.retry(3);
  EXPECT_EQ(scheduler.state(0), State::ready);
  EXPECT_EQ(scheduler.state(3), State::blocked) << "others do better than what was pruned";
}

TEST(Scheduler, ATaskThatNeedsMoreRanksThanThereAreStandsInNobodysWay) {
  std::vector<Node> nodes{{.cost = 100, .devices = 4}};
  for (int i = 0; i < 3 * kMaxOvertakes; ++i) nodes.push_back({.cost = 1});
  Scheduler scheduler = with_ranks(nodes, 2);
  EXPECT_TRUE(scheduler.impossible(0));
  for (std::size_t task = 1; task < nodes.size(); ++task) {
    EXPECT_FALSE(scheduler.stuck());
    ASSERT_EQ(take(scheduler), task);
    scheduler.done(task);
  }
  EXPECT_EQ(take(scheduler), std::nullopt);
  EXPECT_TRUE(scheduler.stuck());
  EXPECT_FALSE(scheduler.finished()) << "more ranks may come";
  for (int rank = 2; rank < 4; ++rank) scheduler.add_rank(rank, {});
  EXPECT_EQ(take(scheduler), 0U);
}

TEST(RetryPolicy, NoTaskGetsMoreAttemptsThanAreAllowed) {
  for (const auto type :
       {FailureType::crash, FailureType::timeout, FailureType::internal, FailureType::communication,
        FailureType::out_of_memory, FailureType::device_lost, FailureType::agent_lost})
    EXPECT_EQ(allowed_attempts(type, 1), 1) << to_string(type);
}

}  // namespace
}  // namespace sweep::scheduling
