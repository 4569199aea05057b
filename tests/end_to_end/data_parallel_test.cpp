// Several ranks train one network together.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/atomic_file.hpp"
#include "tests/end_to_end/program.hpp"
#include "tests/end_to_end/same_results.hpp"

namespace sweep::test_support {
namespace {

using ::testing::HasSubstr;

// Two steps an epoch. That the numbers are right to the last digits is tested in
// float64 (tests/trainer/data_parallel_test.cpp); here float32 has its way.
constexpr char kParallelSweep[] = R"([sweep]
name = "parallel"
[dataset]
name = "synthetic_lesions"
image_size = 64
train_per_class = 5
test_per_class = 1
[model]
name = "resnet18"
[defence]
name = "none"
[training]
epochs = 1
batch_size = 10
learning_rate = 0.001
[run]
threads = 1
)";

class DataParallel : public ::testing::Test {
 protected:
  std::string command(const std::string& out, int ranks, const std::string& more = "",
                      int devices = 0) {
    write_atomically(folder_ / "parallel.toml", kParallelSweep);
    return concat((binaries() / "sweep_runner").string(), " run --np ", ranks, " ",
                  (folder_ / "parallel.toml").string(), " --out ", (folder_ / out).string(),
                  " --devices-per-trial ", devices == 0 ? ranks : devices, " ", more);
  }
  std::vector<Json> journal(const std::string& out) const {
    return journal_of(folder_ / out, "parallel");
  }
  storage::Content model(const std::string& out) const {
    return storage::read_artifact(artifacts_of(folder_ / out).lower_bound("model/")->second);
  }

  /// That the training is in; 0 before it.
  double epoch(const std::string& out) const {
    const auto path = folder_ / (out + "/runs/parallel/status.json");
    if (!std::filesystem::exists(path)) return 0;
    const Json status = Json::parse(read_text(path), nullptr, false);
    for (const auto& rank : status.value("ranks", Json::array()))
      if (rank.contains("epoch") && rank.at("epoch").is_number()) return rank.at("epoch");
    return 0;
  }

  /// The process whose output goes into this test's log with such a name; -1: there is none.
  pid_t writer_of(const std::string& ending) const {
    for (const auto& process : std::filesystem::directory_iterator("/proc")) {
      std::error_code none;
      const std::string log = std::filesystem::read_symlink(process.path() / "fd/1", none);
      if (log.starts_with(folder_.path().string()) && log.ends_with(ending))
        return std::stoi(process.path().filename().string());
    }
    return -1;
  }

  /// Largest difference of the weights, relative to the largest weight of each tensor; and losses.
  void expect_same_model(const std::string& out, const std::string& other, double tolerance) const {
    const auto ours = model(out), theirs = model(other);
    EXPECT_EQ(ours.attributes.at("name"), theirs.attributes.at("name"));
    for (const auto& [name, array] : ours.arrays) {
      if (!name.ends_with("conv1.weight") && name != "history/loss") continue;
      double difference = 0, largest = 0;
      const auto at = [&](const storage::Content& content, std::size_t i) {
        const auto& values = content.array(name);
        return name == "history/loss" ? values.values<double>()[i]
                                      : static_cast<double>(values.values<float>()[i]);
      };
      const auto count = static_cast<std::size_t>(std::accumulate(
          array.shape.begin(), array.shape.end(), std::int64_t{1}, std::multiplies<>()));
      for (std::size_t i = 0; i < count; ++i) {
        difference = std::max(difference, std::abs(at(ours, i) - at(theirs, i)));
        largest = std::max(largest, std::abs(at(ours, i)));
      }
      EXPECT_LT(difference, tolerance * largest) << name;
    }
  }

  TemporaryFolder folder_;
};

TEST_F(DataParallel, TheModelDoesNotDependOnTheNumberOfRanks) {
  ASSERT_EQ(run_shell(command("one", 1)).status, 0);
  for (const int ranks : {2, 4}) {
    const std::string out = concat("of", ranks);
    const Outcome outcome = run_shell(command(out, ranks));
    ASSERT_EQ(outcome.status, 0) << outcome.output;
    expect_same_model("one", out, 0.03);
    for (const auto& event : events(journal(out), "started"))
      if (event.at("kind") == "model") {
        EXPECT_EQ(event.at("ranks").size(), ranks);
      }
  }
}

TEST_F(DataParallel, PreprocessorsAreTrainedByAllRanksToo) {
  const std::string reformer =
      "--set preprocessor.name=reformer --set preprocessor.epochs=1 --set "
      "preprocessor.batch_size=7 ";
  for (const int ranks : {1, 2})
    ASSERT_EQ(run_shell(command(concat("of", ranks), ranks, reformer)).status, 0);
  for (const auto& event : events(journal("of2"), "started"))
    if (event.at("kind") == "preprocessor") {
      EXPECT_EQ(event.at("ranks").size(), 2);
      EXPECT_THAT(read_text(event.at("log").get<std::string>()),
                  HasSubstr("to be added up with 1 others"));
    }
  const auto trained = [&](const std::string& out) {
    return storage::read_artifact(artifacts_of(folder_ / out).lower_bound("preprocessor/")->second);
  };
  const auto one = trained("of1"), two = trained("of2");
  EXPECT_EQ(one.attributes.at("name"), two.attributes.at("name"));
  EXPECT_NEAR(two.array("history/loss").values<double>()[0],
              one.array("history/loss").values<double>()[0], 1e-4);
  const Outcome local = run_shell(command("local", 4, reformer + "--set run.batch_norm=local"));
  EXPECT_EQ(local.status, 2);
  EXPECT_THAT(local.output, HasSubstr("preprocessor.batch_size = 7"));
}

TEST_F(DataParallel, GoesOnAfterAStopWithFewerRanks) {
  const std::string longer = "--set training.epochs=4 ";
  ASSERT_EQ(run_shell(command("one", 1, longer)).status, 0);
  Background run(command("stopped", 4, longer));
  ASSERT_TRUE(wait_until([&] { return epoch("stopped") >= 2; }, 120));
  run.signal(SIGTERM);
  ASSERT_EQ(run.wait(), 75);
  ASSERT_FALSE(events(journal("stopped"), "stopped").empty());
  const Outcome rest = run_shell(command("stopped", 2, longer));
  ASSERT_EQ(rest.status, 0) << rest.output;
  expect_same_model("one", "stopped", 0.2);
}

TEST_F(DataParallel, TheDeathOfAMemberCostsOneAttempt) {
  Background run(command("hit", 3, "--set training.epochs=4 "));
  ASSERT_TRUE(wait_until([&] { return epoch("hit") >= 2; }, 120));
  const pid_t victim = writer_of("-2.log");
  ASSERT_GT(victim, 0);
  ::kill(victim, SIGKILL);
  ASSERT_EQ(run.wait(), 0);
  const auto failures = events(journal("hit"), "failed");
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].at("failure"), "crash");
  EXPECT_EQ(failures[0].at("rank"), 2);
  EXPECT_EQ(failures[0].at("final"), false);
  EXPECT_THAT(failures[0].at("log"), ::testing::EndsWith("-2.log"));
}

TEST_F(DataParallel, RefusesWhatCannotBe) {
  const Outcome few = run_shell(command("few", 2, "", 3));
  EXPECT_EQ(few.status, 2);
  EXPECT_THAT(few.output, HasSubstr("there are 2 ranks"));
  const Outcome local =
      run_shell(command("local", 4, "--set run.batch_norm=local --set training.batch_size=6"));
  EXPECT_EQ(local.status, 2);
  EXPECT_THAT(local.output, HasSubstr("two for every rank"));
}

TEST_F(DataParallel, WhatDependsOnTheNumberOfRanksHasAnotherName) {
  ASSERT_EQ(run_shell(command("one", 1)).status, 0);
  const Outcome outcome =
      run_shell(command("compressed", 2, "--set run.gradient_compression=bf16"));
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_NE(model("one").attributes.at("name"), model("compressed").attributes.at("name"));
}

}  // namespace
}  // namespace sweep::test_support
