#include "runner/engine/eta.hpp"

#include <gtest/gtest.h>

#include "runner/plan/forecast.hpp"

namespace sweep::engine {
namespace {

using storage::ArtifactKind;

/// `count` trainings that need nothing, and as many evaluations, each of one of them.
plan::Graph trainings(std::size_t count) {
  plan::Graph graph;
  for (std::size_t i = 0; i < count; ++i)
    graph.tasks.push_back({.output = {ArtifactKind::model, concat("m", i)}, .cost = 100});
  for (std::size_t i = 0; i < count; ++i)
    graph.tasks.push_back({.output = {ArtifactKind::evaluation, concat("e", i)},
                           .inputs = {graph.tasks[i].output},
                           .cost = 10});
  return graph;
}

/// A run in the middle of which it is asked.
struct Situation {
  explicit Situation(plan::Graph planned, plan::Calibration before = {})
      : graph(std::move(planned)),
        inputs(plan::input_indices(graph)),
        scheduler(plan::nodes_of(graph, before.rates()), {}),
        eta(graph, inputs, before.rates()) {}

  void add_rank() {
    const int rank = static_cast<int>(ranks.size());
    scheduler.add_rank(rank, {});
    ranks.push_back({.rank = rank, .device = "cpu", .state = "idle", .since = Clock::now()});
  }
  /// The next task starts, and has been running for so long.
  void start(double seconds_ago, double fraction = 0) {
    const auto next = scheduler.next();
    ASSERT_TRUE(next);
    RankView& rank = ranks[static_cast<std::size_t>(next->ranks.front())];
    rank.state = "busy";
    rank.task = next->task;
    rank.fraction = fraction;
    rank.since = Clock::now() - std::chrono::duration_cast<Clock::duration>(
                                    std::chrono::duration<double>(seconds_ago));
  }
  std::optional<double> seconds() const { return eta.seconds(scheduler, ranks); }

  plan::Graph graph;
  std::vector<std::vector<std::size_t>> inputs;
  scheduling::Scheduler scheduler;
  Eta eta;
  std::vector<RankView> ranks;
};

plan::Calibration measured() {
  plan::Calibration calibration;
  calibration.add(ArtifactKind::model, 100, 200, "cpu");
  calibration.add(ArtifactKind::evaluation, 10, 5, "cpu");
  return calibration;
}

TEST(Eta, IsThereFromTheStartWhereEarlierRunsHaveMeasured) {
  Situation run(trainings(4), measured());
  EXPECT_EQ(run.seconds(), std::nullopt) << "nobody works";
  run.add_rank();
  EXPECT_NEAR(*run.seconds(), 4 * 205, 1e-6);
  run.add_rank();
  EXPECT_NEAR(*run.seconds(), 2 * 205, 1e-6);
  for (int i = 0; i < 6; ++i) run.add_rank();
  EXPECT_NEAR(*run.seconds(), 205, 1e-6) << "the longest chain";
}

TEST(Eta, CountsDownWhileATaskRuns) {
  Situation run(trainings(1), measured());
  run.add_rank();
  run.start(50);
  EXPECT_NEAR(*run.seconds(), 155, 1);
  run.ranks[0].fraction = 0.5;
  EXPECT_NEAR(*run.seconds(), 105, 1) << "what the task says counts more";
  run.ranks[0].fraction = 0;
  run.ranks[0].since -= std::chrono::hours(1);
  EXPECT_NEAR(*run.seconds(), 5, 1) << "a task that takes longer than it should has no rest";
}

TEST(Eta, InANewFolderGoesByHowFarTheFirstTasksAre) {
  Situation run(trainings(2));
  run.add_rank();
  run.start(10);
  EXPECT_EQ(run.seconds(), std::nullopt);
  run.ranks[0].fraction = 0.1;  // a training takes 100 s, an evaluation 10 s
  EXPECT_NEAR(*run.seconds(), 90 + 100 + 2 * 10, 2);
}

TEST(Eta, WhatTheRunMeasuresReplacesWhatOthersDid) {
  Situation run(trainings(10), measured());
  run.add_rank();
  for (int i = 0; i < 3; ++i) {
    const auto next = run.scheduler.next();
    run.eta.add(run.graph.tasks[next->task], 20, "cuda 0");
    run.scheduler.done(next->task);
  }
  EXPECT_NEAR(*run.seconds(), 7 * 20 + 10 * 5, 1e-6);
}

TEST(Eta, IsCheapEnoughToBeAskedOnceASecond) {
  Situation run(trainings(10000), measured());
  for (int i = 0; i < 64; ++i) run.add_rank();
  for (int i = 0; i < 64; ++i) run.start(1, 0.5);
  const auto since = Clock::now();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(run.seconds());
  EXPECT_LT(seconds_since(since) / 10, 0.05);
}

}  // namespace
}  // namespace sweep::engine
