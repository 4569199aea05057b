// The verb plan, as its user calls it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/noop_sweep.hpp"

namespace sweep::test_support {
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

TEST(Plan, RestsOnTheJournalsOfTheFolderAndIgnoresWhatTheyCannotMean) {
  const TemporaryFolder folder;
  const auto run = folder / "out/runs/old";
  create_folders(run);
  const auto done = [](const char* kind, const char* cost, const char* seconds) {
    return concat(R"({"event":"done","kind":")", kind, R"(","cost":)", cost, R"(,"seconds":)",
                  seconds, R"(,"device":"cuda \u001b[2J0"})", "\n");
  };
  write_atomically(run / "journal.jsonl",
                   done("model", "100", "50") + done("model", "100", "1e308") +
                       done("model", "-100", "50") + done("model", "100", "\"50\"") +
                       "{\"event\": \"do\n" + done("evaluation", "2", "1") + "{\"event\"");
  const std::string common = concat(quick_table(), " --out ", (folder / "out").string());
  const Outcome text = plan(common + " --devices 1,8");
  ASSERT_EQ(text.status, 0) << text.output;
  EXPECT_THAT(text.output, HasSubstr("2 tasks measured on cuda"));
  EXPECT_THAT(text.output, HasSubstr("(4 entries of journals can't be used)"));
  EXPECT_THAT(text.output, HasSubstr("by the speed of the others: dataset, adversarial_shard"));
  EXPECT_THAT(text.output, Not(HasSubstr("\x1b")));
  const Json json = Json::parse(plan(common + " --json --devices 1,8").output);
  EXPECT_EQ(json.at("calibration").at("ignored"), 4);
  double seconds = 0;
  for (const auto& stage : json.at("stages")) {
    EXPECT_EQ(stage.at("device_seconds"), 0.5 * stage.at("cost").get<double>());
    EXPECT_EQ(stage.at("measured"),
              stage.at("kind") == "model" || stage.at("kind") == "evaluation");
    seconds += stage.at("device_seconds").get<double>();
  }
  const Json& one = json.at("simulations")[0];
  const Json& eight = json.at("simulations")[1];
  EXPECT_NEAR(one.at("makespan_s"), seconds, 1e-6 * seconds);
  EXPECT_GE(eight.at("makespan_s"), eight.at("lower_bound_s"));
  EXPECT_GE(eight.at("lower_bound_s"), eight.at("critical_path_s"));
  const auto lines = split(plan(common + " --csv").output, '\n');
  ASSERT_EQ(lines.size(), 1u + 9u + 1u);
  double of_trials = 0;
  for (std::size_t i = 1; i <= 9; ++i) of_trials += std::stod(split(lines[i], ',').back());
  EXPECT_NEAR(of_trials, seconds, 1) << "to a tenth of a second each";
}

TEST(Plan, KeepsToWhatMayRunAtOnce) {
  const TemporaryFolder folder;
  const Json json = Json::parse(plan(concat(quick_table(), " --out ", (folder / "out").string(),
                                            " --json --devices 8 --set run.max_concurrent=2"))
                                    .output);
  EXPECT_LE(json.at("simulations")[0].at("utilisation"), 0.25);
}

TEST(Plan, AFolderThatCannotBeLookedIntoIsAnError) {
  const Outcome outcome = plan(concat(quick_table(), " --out ", std::string(300, 'a')));
  EXPECT_EQ(outcome.status, 2) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("File name too long"));
}

TEST(Plan, DryRunOfALauncherSaysItOnceForAllRanks) {
  const NoopSweep sweep(3);
  const Outcome outcome =
      run_shell(concat("env OMPI_ALLOW_RUN_AS_ROOT=1 "
                       "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe "
                       "-np 2 ",
                       sweep.command("-n")));
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(split(outcome.output, '\n').size(),
            split(run_shell(sweep.command("-n --np 2")).output, '\n').size())
      << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("      2  "));
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
}  // namespace sweep::test_support
