#include "runner/plan/forecast.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/atomic_file.hpp"
#include "runner/plan/presence.hpp"
#include "tests/runner/plan/example.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::plan {
namespace {

using storage::ArtifactId;
using storage::ArtifactKind;

Calibration calibration_of(const std::string& journal) {
  const testing::TemporaryFolder folder;
  const auto run = folder / "runs/a";
  create_folders(run);
  write_atomically(run / "journal.jsonl", journal);
  return measured(storage::Store(folder.path()));
}

std::string done(const std::string& kind, const std::string& cost, const std::string& seconds) {
  return concat(R"({"event":"done","kind":")", kind, R"(","cost":)", cost, R"(,"seconds":)",
                seconds, R"(,"device":"cpu"})", "\n");
}

TEST(Calibration, TakesTheMedianOfEachKindElseOfAll) {
  const auto calibration =
      calibration_of(done("model", "10", "10") + done("model", "10", "20") +
                     done("model", "10", "9000") + done("evaluation", "1", "7"));
  EXPECT_EQ(calibration.tasks(), 4u);
  EXPECT_EQ(calibration.seconds_per_cost(ArtifactKind::model), 2.0);
  EXPECT_EQ(calibration.seconds_per_cost(ArtifactKind::evaluation), 7.0);
  EXPECT_EQ(calibration.seconds_per_cost(ArtifactKind::dataset), 7.0);
  EXPECT_THAT(calibration.devices(), ::testing::ElementsAre("cpu"));
}

TEST(Calibration, IsEmptyWithoutRuns) {
  const testing::TemporaryFolder folder;
  const auto calibration = measured(storage::Store(folder / "none"));
  EXPECT_EQ(calibration.tasks(), 0u);
  EXPECT_EQ(calibration.seconds_per_cost(ArtifactKind::model), std::nullopt);
}

TEST(Calibration, IgnoresAndCountsWhatCannotBeMeasured) {
  const auto calibration = calibration_of(
      done("model", "10", "20") + done("model", "0", "1") + done("model", "-1", "1") +
      done("model", "1", "-1") + done("model", "1e300", "1") + done("model", "1", "1e300") +
      done("model", "\"x\"", "1") + done("model", "1", "null") + done("nonsense", "1", "1") +
      R"({"event":"done"})" + "\n" + "{\"event\":\n[]\n" + R"({"event":"started"})" + "\n" +
      done("model", "1", "1").substr(0, 20));
  EXPECT_EQ(calibration.tasks(), 1u);
  EXPECT_EQ(calibration.ignored(), 9u);
  EXPECT_EQ(calibration.seconds_per_cost(ArtifactKind::model), 2.0);
}

TEST(Presence, ShardsThatAreNoLongerNeededCountAsMade) {
  const Graph graph = example_graph(example("", {"run.shard_size=8"}));
  const auto there = [](ArtifactKind missing) {
    return [missing](const ArtifactId& id) {
      return id.kind != missing && id.kind != ArtifactKind::adversarial_shard;
    };
  };
  const auto count = [&](const std::vector<bool>& made) {
    return std::count(made.begin(), made.end(), false);
  };
  EXPECT_EQ(count(made(graph, there(ArtifactKind::adversarial_shard))), 0);
  EXPECT_EQ(count(made(graph, there(ArtifactKind::evaluation))), 2);
  EXPECT_EQ(count(made(graph, there(ArtifactKind::adversarial_set))), 1 + 3);
}

TEST(Forecast, AddsUpWhatIsToBeMade) {
  const Graph graph = example_graph(example(""));
  Calibration calibration;
  calibration.add(ArtifactKind::model, 1, 2, "cpu");
  std::vector<bool> made(graph.tasks.size(), false);
  made[0] = true;  // the dataset
  const Forecast result = forecast(graph, made, calibration);
  EXPECT_EQ(result.to_make(), graph.tasks.size() - 1);
  EXPECT_TRUE(result.has_times());
  double cost = 0;
  for (const auto& task : graph.tasks)
    if (task.output.kind == ArtifactKind::model) cost += task.cost;
  EXPECT_EQ(result.stages.at(ArtifactKind::model).device_seconds, 2 * cost);
  EXPECT_EQ(result.stages.at(ArtifactKind::dataset).there, 1u);
  EXPECT_EQ((result.edges.at({ArtifactKind::dataset, ArtifactKind::model})), 2u);
  const auto one = simulate(graph, result, 1);
  EXPECT_NEAR(one.makespan, one.work, 1e-9);
  EXPECT_LT(simulate(graph, result, 8).makespan, one.makespan);
  ASSERT_EQ(trials(graph, result).size(), 1u);
  EXPECT_EQ(trials(graph, result)[0].to_make, 3u) << "a model and two evaluations";
}

TEST(Forecast, HasNoTimesWithoutMeasurements) {
  const Graph graph = example_graph(example(""));
  const Forecast result = forecast(graph, std::vector<bool>(graph.tasks.size(), false), {});
  EXPECT_FALSE(result.has_times());
  EXPECT_EQ(trials(graph, result)[0].seconds, std::nullopt);
  EXPECT_GT(simulate(graph, result, 2).makespan, 0) << "in units of cost";
}

}  // namespace
}  // namespace sweep::plan
