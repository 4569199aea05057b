#include "runner/scheduling/simulation.hpp"

#include <gtest/gtest.h>

#include <random>

namespace sweep::scheduling {
namespace {

TEST(Simulation, OneRankTakesAllTheWork) {
  const std::vector<Node> nodes{{.inputs = {}, .cost = 2}, {.inputs = {0}, .cost = 3}};
  const Simulated result = simulate(nodes, 1);
  EXPECT_EQ(result.makespan, 5);
  EXPECT_EQ(result.utilisation, 1);
  EXPECT_EQ(result.lower_bound(1), 5);
}

TEST(Simulation, AChainGainsNothingFromMoreRanks) {
  const std::vector<Node> nodes{{.inputs = {}, .cost = 2}, {.inputs = {0}, .cost = 3}};
  const Simulated result = simulate(nodes, 4);
  EXPECT_EQ(result.makespan, 5);
  EXPECT_EQ(result.utilisation, 0.25);
  EXPECT_EQ(result.lower_bound(4), 5);
}

TEST(Simulation, WhatIsDoneTakesNoTime) {
  const std::vector<Node> nodes{{.inputs = {}, .cost = 2, .done = true},
                                {.inputs = {0}, .cost = 3}};
  EXPECT_EQ(simulate(nodes, 4).makespan, 3);
  EXPECT_EQ(simulate(nodes, 4).work, 3);
}

TEST(Simulation, SaysWhenATaskNeedsMoreRanksThanThereAre) {
  const std::vector<Node> nodes{{.inputs = {}, .cost = 2, .devices = 4}};
  EXPECT_FALSE(simulate(nodes, 2).complete);
  EXPECT_TRUE(simulate(nodes, 4).complete);
}

/// A dataset, then trainings on 1, 2 or 4 devices, attacks in shards, and evaluations of all.
std::vector<Node> mixed_sweep(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Node> nodes{{.inputs = {}, .cost = 5}};
  std::vector<std::size_t> models, shards;
  const auto seconds = [&](unsigned least, unsigned most) {
    return static_cast<double>(least + random() % (most - least));
  };
  const auto add = [&](Node node) {
    nodes.push_back(std::move(node));
    return nodes.size() - 1;
  };
  for (int i = 0; i < 40; ++i)
    models.push_back(
        add({.inputs = {0}, .cost = seconds(100, 400), .devices = 1 << (random() % 3)}));
  for (int i = 0; i < 60; ++i)
    shards.push_back(add({.inputs = {0, models[0]}, .cost = seconds(10, 40)}));
  const std::size_t set = add({.inputs = shards, .cost = 1});
  for (const auto model : models) add({.inputs = {model, set}, .cost = seconds(5, 20)});
  return nodes;
}

TEST(Simulation, MixedTasksKeepEightRanksBusy) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    const Simulated result = simulate(mixed_sweep(seed), 8);
    ASSERT_TRUE(result.complete);
    EXPECT_GE(result.lower_bound(8) / result.makespan, 0.9) << "seed " << seed;
  }
}

TEST(Simulation, IsNoShorterThanTheLowerBoundAndNoLongerThanGrahamSays) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    auto nodes = mixed_sweep(seed);
    for (auto& node : nodes) node.devices = 1;
    const Simulated result = simulate(nodes, 8);
    EXPECT_GE(result.makespan, result.lower_bound(8) * (1 - 1e-12));
    // Graham 1966: any list schedule, with tasks of one device.
    EXPECT_LE(result.makespan, (result.work / 8 + result.path) * (1 + 1e-12));
  }
}

}  // namespace
}  // namespace sweep::scheduling
