#include "runner/plan/forecast.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/atomic_file.hpp"
#include "runner/plan/cost.hpp"
#include "runner/plan/presence.hpp"
#include "tests/runner/plan/example.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::plan {
namespace {

using storage::ArtifactId;
using storage::ArtifactKind;

Calibration calibration_of(const std::string& journal) {
  const test_support::TemporaryFolder folder;
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
  const Rates rates = calibration.rates();
  EXPECT_EQ(rates.seconds(ArtifactKind::model, 5), 10.0);
  EXPECT_EQ(rates.seconds(ArtifactKind::evaluation, 2), 14.0);
  EXPECT_TRUE(rates.measured(ArtifactKind::evaluation, 2));
  EXPECT_THAT(calibration.devices(), ::testing::ElementsAre("cpu"));
}

TEST(Calibration, JudgesOtherKindsByWhereTheWorkIs) {
  const auto rates = calibration_of(done("model", "30", "60") + done("evaluation", "1", "7") +
                                    done("evaluation", "1", "7") + done("evaluation", "1", "7"))
                         .rates();
  EXPECT_FALSE(rates.measured(ArtifactKind::dataset, 1));
  EXPECT_NEAR(*rates.seconds(ArtifactKind::dataset, 11), 27, 1e-9);  // 11 * (60 + 21) / 33
}

TEST(Calibration, JoiningShardsTellsNothingOfOtherWork) {
  const auto rates =
      calibration_of(done("adversarial_set", "1", "5") + done("model", "10", "20")).rates();
  EXPECT_EQ(rates.seconds(ArtifactKind::adversarial_set, kJoiningCost), 5.0);
  EXPECT_EQ(rates.seconds(ArtifactKind::adversarial_set, 1000), 2000.0);
  EXPECT_EQ(rates.seconds(ArtifactKind::dataset, 10), 20.0);
}

TEST(Calibration, PrefersWhatIsNewAndSure) {
  Calibration old, few, many;
  old.add(ArtifactKind::model, 1, 100, "cpu");
  for (int i = 0; i < 3; ++i) many.add(ArtifactKind::model, 1, 2, "cuda 0");
  few.add(ArtifactKind::model, 1, 1, "cuda 0");
  few.add(ArtifactKind::evaluation, 1, 1, "cuda 0");
  Rates rates = old.rates();
  rates.prefer(few.rates());
  EXPECT_EQ(rates.seconds(ArtifactKind::model, 1), 100.0) << "one task says little";
  EXPECT_EQ(rates.seconds(ArtifactKind::evaluation, 1), 1.0) << "better than nothing";
  rates.prefer(many.rates());
  EXPECT_EQ(rates.seconds(ArtifactKind::model, 1), 2.0);
}

TEST(Calibration, IsEmptyWithoutRuns) {
  const test_support::TemporaryFolder folder;
  const auto calibration = measured(storage::Store(folder / "none"));
  EXPECT_EQ(calibration.tasks(), 0u);
  EXPECT_TRUE(calibration.rates().empty());
  EXPECT_EQ(calibration.rates().seconds(ArtifactKind::model, 1), std::nullopt);
}

TEST(Calibration, IgnoresAndCountsWhatCannotBeMeasured) {
  const auto calibration = calibration_of(
      done("model", "10", "20") + done("model", "0", "1") + done("model", "-1", "1") +
      done("model", "1", "-1") + done("model", "1e300", "1") + done("model", "1", "1e300") +
      done("model", "\"x\"", "1") + done("model", "1", "null") + done("nonsense", "1", "1") +
      done("model", "1e999", "1") + done("model", "1e-300", "1e7") + R"({"event":"done"})" + "\n" +
      "{\"event\":\n[]\n" + R"({"event":"started"})" + "\n" +
      done("model", "1", "1").substr(0, 20));
  EXPECT_EQ(calibration.tasks(), 1u);
  EXPECT_EQ(calibration.ignored(), 13u);
  EXPECT_EQ(calibration.rates().seconds(ArtifactKind::model, 1), 2.0);
}

TEST(Calibration, JournalsThatAreNoFilesAreCounted) {
  const test_support::TemporaryFolder folder;
  create_folders(folder / "runs/folder/journal.jsonl");
  create_folders(folder / "runs/pipe");
  ASSERT_EQ(::mkfifo((folder / "runs/pipe/journal.jsonl").c_str(), 0600), 0);
  create_folders(folder / "runs/z");
  write_atomically(folder / "runs/z/journal.jsonl", done("model", "1", "1"));
  const auto calibration = measured(storage::Store(folder.path()));
  EXPECT_EQ(calibration.ignored(), 2u);
  EXPECT_EQ(calibration.tasks(), 1u);
}

TEST(Calibration, NamesOfDevicesAreShortAndSteerNoTerminal) {
  const auto calibration =
      calibration_of(R"({"event":"done","kind":"model","cost":1,"seconds":1,"device":"\u001b[31m)" +
                     std::string(100000, 'x') + "\"}\n");
  ASSERT_EQ(calibration.devices().size(), 1u);
  EXPECT_LT(calibration.devices().begin()->size(), 60u);
  EXPECT_EQ(calibration.devices().begin()->find('\x1b'), std::string::npos);
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
  const Forecast result = forecast(graph, made, calibration.rates());
  EXPECT_EQ(result.to_make(), graph.tasks.size() - 1);
  EXPECT_TRUE(result.has_times());
  double cost = 0;
  for (const auto& task : graph.tasks)
    if (task.output.kind == ArtifactKind::model) cost += task.cost;
  EXPECT_EQ(result.stages.at(ArtifactKind::model).device_seconds, 2 * cost);
  EXPECT_EQ(result.stages.at(ArtifactKind::dataset).there, 1u);
  EXPECT_EQ((result.edges.at({ArtifactKind::dataset, ArtifactKind::model})), 2u);
  EXPECT_TRUE(result.stages.at(ArtifactKind::model).measured);
  EXPECT_FALSE(result.stages.at(ArtifactKind::evaluation).measured);
  const auto nodes = nodes_of(graph, calibration.rates());
  const auto one = simulate(nodes, made, {}, 1);
  EXPECT_NEAR(one.makespan, one.work, 1e-9 * one.work);
  EXPECT_LT(simulate(nodes, made, {}, 8).makespan, one.makespan);
  EXPECT_EQ(simulate(nodes, made, {.max_concurrent = 1}, 8).makespan, one.makespan);
  ASSERT_EQ(trials(graph, result).size(), 1u);
  EXPECT_EQ(trials(graph, result)[0].to_make, 3u) << "a model and two evaluations";
}

TEST(Forecast, WhatTrialsTakeAddsUp) {
  const Graph graph = example_graph(example(R"([grid]
"defence.lambda_n" = [0.1, 1]
[[table.column]]
label = "clean"
[[table.column]]
label = "fgsm"
attack = "fgsm"
[[table.column]]
label = "white box"
attack = "fgsm"
attacker = "self"
)"));
  Calibration calibration;
  calibration.add(ArtifactKind::model, 1, 2, "cpu");
  const std::vector<bool> made(graph.tasks.size(), false);
  const Forecast result = forecast(graph, made, calibration.rates());
  double all = 0, white_box = 0;
  for (const auto& [kind, stage] : result.stages) all += *stage.device_seconds;
  for (std::size_t i = 0; i < graph.tasks.size(); ++i)
    if (graph.tasks[i].output == graph.adversarial_sets[1].at("white box"))
      white_box = *result.seconds[i];
  const auto each = trials(graph, result);
  ASSERT_EQ(each.size(), 2u);
  EXPECT_NEAR(*each[0].device_seconds + *each[1].device_seconds, all, 1e-9 * all);
  EXPECT_GT(*each[0].device_seconds, *each[1].device_seconds) << "the dataset and the attacker";
  EXPECT_GT(white_box, 0);
  EXPECT_GT(*each[1].device_seconds, white_box);
}

TEST(Forecast, HasNoTimesWithoutMeasurements) {
  const Graph graph = example_graph(example(""));
  const std::vector<bool> made(graph.tasks.size(), false);
  const Rates none({});
  const Forecast result = forecast(graph, made, none);
  EXPECT_FALSE(result.has_times());
  EXPECT_EQ(trials(graph, result)[0].device_seconds, std::nullopt);
  EXPECT_GT(simulate(nodes_of(graph, none), made, {}, 2).makespan, 0) << "in units of cost";
}

}  // namespace
}  // namespace sweep::plan
