// The verb plan, as its user calls it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/noop_sweep.hpp"

namespace sweep::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Outcome plan(const std::string& arguments) {
  return run_shell(concat((binaries() / "sweep_runner").string(), " plan ", arguments));
}

std::string quick_table() {
  return (sources() / "sweeps/quick/table1.toml").string();
}

TEST(Plan, TellsWhatIsToBeMadeWithoutMakingAnything) {
  const TemporaryFolder folder;
  const Outcome outcome =
      plan(concat(quick_table(), " --out ", (folder / "out").string(), " --devices 1,8"));
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("quick_table1: 9 trials"));
  EXPECT_THAT(outcome.output, HasSubstr("Times are not known yet"));
  EXPECT_THAT(outcome.output, HasSubstr("evaluation <- dataset (62), model (62)"));
  EXPECT_FALSE(std::filesystem::exists(folder / "out"));
}

TEST(Plan, KnowsTimesAndWhatIsThereAfterARun) {
  const NoopSweep sweep(5);
  ASSERT_EQ(run_shell(sweep.command("--max-trials 2", R"({"seconds": 0.02})")).status, 0);
  const std::string file = (sweep.out().parent_path() / "noop.toml").string();
  const Outcome outcome =
      plan(concat(file, " --out ", sweep.out().string(), " --json --devices 2,4"));
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  const Json json = Json::parse(outcome.output);
  EXPECT_EQ(json.at("trials"), 5);
  EXPECT_EQ(json.at("tasks"), 17);
  EXPECT_EQ(json.at("to_make"), 9);  // 3 models, 6 evaluations
  EXPECT_EQ(json.at("calibration").at("tasks"), 8);
  EXPECT_GT(json.at("simulations")[0].at("makespan_s"), 0);
  EXPECT_GE(json.at("simulations")[0].at("makespan_s"), json.at("simulations")[1].at("makespan_s"));
  const Outcome csv = plan(concat(file, " --out ", sweep.out().string(), " --csv"));
  EXPECT_THAT(csv.output, HasSubstr("id,label,state,seconds"));
  EXPECT_THAT(csv.output, HasSubstr("1,none seed=1,done,0.0"));
  EXPECT_THAT(csv.output, HasSubstr("4,none seed=4,open,"));
}

TEST(Plan, DryRunSaysTheSame) {
  const NoopSweep sweep(3);
  const Outcome outcome = run_shell(sweep.command("-n"));
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.output, HasSubstr("noop: 3 trials, 11 tasks, 11 to do"));
  EXPECT_FALSE(std::filesystem::exists(sweep.out()));
}

TEST(Plan, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(plan("").status, 2);
  EXPECT_EQ(plan(quick_table() + " --devices 0").status, 2);
  EXPECT_EQ(plan(quick_table() + " --json --csv").status, 2);
  const Outcome outcome = plan(quick_table() + " --set training.epoch=3");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.output, HasSubstr("did you mean 'epochs'"));
  const Outcome missing =
      plan((sources() / "sweeps/table1.toml").string() + " --set dataset.root=/nowhere");
  EXPECT_EQ(missing.status, 2);
  EXPECT_THAT(missing.output, HasSubstr("/nowhere"));
}

TEST(Plan, NeedsNeitherMpiNorLibTorch) {
  const Outcome outcome = run_shell("ldd " + (binaries() / "sweep_runner").string());
  ASSERT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.output, Not(HasSubstr("libmpi")));
  EXPECT_THAT(outcome.output, Not(HasSubstr("torch")));
}

}  // namespace
}  // namespace sweep::testing
