// What the engine and a real training have to say to each other: epochs, early ends, memory.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/atomic_file.hpp"
#include "tests/end_to_end/program.hpp"
#include "tests/end_to_end/same_results.hpp"

namespace sweep::test_support {
namespace {

using ::testing::Ge;

constexpr char kTrainingSweep[] = R"([sweep]
name = "small"
[dataset]
name = "synthetic_lesions"
image_size = 64
train_per_class = 16
test_per_class = 4
[model]
name = "resnet18"
[defence]
name = "none"
[training]
epochs = 1
batch_size = 64
[run]
threads = 1
)";

constexpr char kSearch[] = R"([search]
method = "random"
trials = 6
early_stopping = "asha"
metric = "accuracy"
min_epochs = 1
reduction = 2
[search.space]
"training.learning_rate" = {from = 0.0001, to = 1.0, scale = "log"}
)";

class TrainingInEngine : public ::testing::Test {
 protected:
  Outcome run(const std::string& out, const std::string& environment, const std::string& arguments,
              const std::string& more = "") {
    write_atomically(folder_ / "small.toml", kTrainingSweep + more);
    return run_shell(concat("env ", environment, " ", (binaries() / "sweep_runner").string(),
                            " run ", (folder_ / "small.toml").string(), " --out ",
                            (folder_ / out).string(), " ", arguments));
  }
  std::vector<Json> journal(const std::string& out) const {
    return journal_of(folder_ / out, "small");
  }

  TemporaryFolder folder_;
};

TEST_F(TrainingInEngine, OutOfMemoryIsRetriedWithLessAndGivesTheSameResults) {
  ASSERT_EQ(run("whole", "", "").status, 0);
  const Outcome outcome = run("little", "SWEEP_TEST_TENSOR_MEMORY=250000000", "");
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  const auto failures = events(journal("little"), "failed");
  ASSERT_EQ(failures.size(), 1u) << outcome.output;
  EXPECT_EQ(failures[0].at("failure"), "out of memory");
  EXPECT_EQ(failures[0].at("final"), false);
  expect_same_results(folder_ / "whole", folder_ / "little");
}

TEST_F(TrainingInEngine, TooLittleMemoryFailsAfterThreeAttempts) {
  const Outcome outcome = run("none", "SWEEP_TEST_TENSOR_MEMORY=60000000", "");
  EXPECT_EQ(outcome.status, 1) << outcome.output;
  EXPECT_EQ(events(journal("none"), "failed").size(), 3u) << outcome.output;
}

TEST_F(TrainingInEngine, SearchEndsTrainingsEarlyAndRemembersIt) {
  const std::string small =
      "--set dataset.image_size=32 --set training.epochs=4 "
      "--set training.batch_size=16";
  const Outcome outcome = run("search", "", small, kSearch);
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  const auto pruned = events(journal("search"), "pruned");
  ASSERT_THAT(pruned.size(), Ge(1u)) << outcome.output;
  const auto started = events(journal("search"), "started").size();
  EXPECT_EQ(run("search", "", small, kSearch).status, 0);
  EXPECT_EQ(events(journal("search"), "started").size(), started) << "they stay ended";
}

TEST_F(TrainingInEngine, VerifyMakesEvaluationsAgainAndFindsThoseThatDiffer) {
  ASSERT_EQ(run("whole", "", "").status, 0);
  const std::string verify = concat((binaries() / "sweep_runner").string(), " verify ",
                                    (folder_ / "whole").string(), " --recompute 1");
  const Outcome equal = run_shell(verify);
  EXPECT_EQ(equal.status, 0) << equal.output;
  // Whole, well named, and not what the model says.
  const auto path = artifacts_of(folder_ / "whole").lower_bound("evaluation/")->second;
  storage::Content forged = storage::read_artifact(path);
  auto& predictions = forged.arrays.at("predictions");
  std::vector<std::int64_t> values(predictions.values<std::int64_t>().begin(),
                                   predictions.values<std::int64_t>().end());
  values[0] = (values[0] + 1) % 4;
  predictions = storage::Array::own(std::move(values), predictions.shape);
  storage::write_artifact(path, forged);
  const Outcome different = run_shell(verify);
  EXPECT_EQ(different.status, 1) << different.output;
  EXPECT_THAT(different.output, ::testing::HasSubstr("came out with another content"));
}

}  // namespace
}  // namespace sweep::test_support
