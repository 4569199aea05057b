// The quickstart, shrunk to seconds, as its user runs it: results must not depend on the number of
// ranks, nor on what is killed in between.

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "core/atomic_file.hpp"
#include "tests/end_to_end/program.hpp"
#include "tests/end_to_end/same_results.hpp"

namespace sweep::test_support {
namespace {

/// One undisturbed run on one rank, shared by the tests of this file.
const std::filesystem::path& undisturbed() {
  static const TemporaryFolder folder;
  static const std::filesystem::path store = [] {
    const Outcome outcome = run_shell(shrunk_quickstart(folder / "out", 1));
    EXPECT_EQ(outcome.status, 0) << outcome.output;
    return folder / "out";
  }();
  return store;
}

std::size_t count_done(const std::filesystem::path& out) {
  return events(journal_of(out), "done").size();
}

void expect_nothing_done_twice(const std::filesystem::path& out) {
  std::set<std::string> done;
  for (const auto& event : events(journal_of(out), "done"))
    EXPECT_TRUE(done.insert(event.at("artifact").get<std::string>()).second) << event.dump();
}

class Ranks : public ::testing::TestWithParam<int> {};

TEST_P(Ranks, GiveTheSameResults) {
  const TemporaryFolder folder;
  const Outcome outcome = run_shell(shrunk_quickstart(folder / "out", GetParam()));
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  expect_same_results(undisturbed(), folder / "out");
  expect_nothing_done_twice(folder / "out");
}

// 0: one process without mpirun.
INSTANTIATE_TEST_SUITE_P(EndToEnd, Ranks, ::testing::Values(0, 2, 4));

TEST(EndToEnd, ShardsGiveTheResultsOfTheWhole) {
  const TemporaryFolder folder;
  const Outcome outcome =
      run_shell(shrunk_quickstart(folder / "out", 2, "--set run.shard_size=64"));
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  for (const auto& [name, path] : artifacts_of(folder / "out"))
    if (name.rfind("adversarial_set/", 0) == 0)
      expect_same_content(name, storage::read_artifact(undisturbed() / "artifacts" / name),
                          storage::read_artifact(path));
}

TEST(EndToEnd, ASecondRunFindsEverythingDone) {
  const auto before = count_done(undisturbed());
  const Outcome outcome = run_shell(shrunk_quickstart(undisturbed(), 2));
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("all done already"), std::string::npos) << outcome.output;
  EXPECT_EQ(count_done(undisturbed()), before);
}

TEST(EndToEnd, TheTableHasNoMissingCells) {
  const Outcome outcome = run_shell(concat((binaries() / "aggregate_results").string(), " ",
                                           undisturbed().string(), " --strict --format csv"));
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_EQ(outcome.output.find("missing"), std::string::npos) << outcome.output;
  EXPECT_NE(outcome.output.find("84.28"), std::string::npos)
      << outcome.output;  // published, row NA
}

TEST(EndToEnd, AKilledExecutorCostsOneAttempt) {
  const TemporaryFolder folder;
  const auto out = folder / "out";
  Background run(shrunk_quickstart(out, 2, concat(kCheckpointOften, "> /dev/null 2>&1")));
  std::vector<Json> started;
  ASSERT_TRUE(wait_until(
      [&] {
        started = events(journal_of(out), "started");
        return started.size() >= 3;
      },
      60));
  ASSERT_EQ(::kill(started.back().at("pid").get<pid_t>(), SIGKILL), 0);
  EXPECT_EQ(run.wait(), 0);
  const auto failures = events(journal_of(out), "failed");
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(failures.front().at("failure"), "crash");
  EXPECT_NE(failures.front().at("message").get<std::string>().find("signal 9"), std::string::npos);
  expect_same_results(undisturbed(), out);
  expect_nothing_done_twice(out);
}

TEST(EndToEnd, AKilledLauncherLosesNothingThatIsDone) {
  const TemporaryFolder folder;
  const auto out = folder / "out";
  {
    Background run(shrunk_quickstart(out, 2, concat(kCheckpointOften, "> /dev/null 2>&1")));
    ASSERT_TRUE(wait_until([&] { return count_done(out) >= 5; }, 60));
    run.signal(SIGKILL);  // mpirun dies with it
    EXPECT_EQ(run.wait(), 128 + SIGKILL);
  }
  Outcome outcome;
  // The ranks notice within a moment that their launcher is gone; until then the folder is in use.
  ASSERT_TRUE(wait_until(
      [&] {
        outcome = run_shell(shrunk_quickstart(out, 2));
        return outcome.status != 2;
      },
      60))
      << outcome.output;
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  expect_same_results(undisturbed(), out);
  expect_nothing_done_twice(out);
}

class Signals : public ::testing::TestWithParam<int> {};

TEST_P(Signals, SaveAndTheSameCommandGoesOn) {
  const TemporaryFolder folder;
  const auto out = folder / "out";
  const std::string log = (folder / "log").string();
  {
    Background run(shrunk_quickstart(out, GetParam(), "> " + log + " 2>&1"));
    ASSERT_TRUE(wait_until([&] { return events(journal_of(out), "started").size() >= 2; }, 60));
    run.signal(SIGTERM);
    EXPECT_EQ(run.wait(), 75) << read_text(log);
  }
  const Json status = Json::parse(read_text(out / "runs/quick_table1/status.json"));
  EXPECT_EQ(status.at("state"), "interrupted");
  const Outcome outcome = run_shell(shrunk_quickstart(out, 2));
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  expect_same_results(undisturbed(), out);
}

INSTANTIATE_TEST_SUITE_P(EndToEnd, Signals, ::testing::Values(0, 2));

TEST(EndToEnd, ADamagedArtifactIsSetAsideAndMadeAgain) {
  const TemporaryFolder folder;
  const auto out = folder / "out";
  std::filesystem::copy(undisturbed(), out, std::filesystem::copy_options::recursive);
  const auto victim = artifacts_of(out).lower_bound("model/")->second;
  std::fstream file(victim, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(100000).put('\x7f');
  file.close();
  const Outcome outcome = run_shell(shrunk_quickstart(out, 2));
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("damaged"), std::string::npos) << outcome.output;
  EXPECT_FALSE(std::filesystem::is_empty(out / "damaged"));
  expect_same_results(undisturbed(), out);
}

TEST(EndToEnd, AChangedFileSaysWhatChangedAndKeepsTheRest) {
  const TemporaryFolder folder;
  const auto out = folder / "out";
  std::filesystem::copy(undisturbed(), out, std::filesystem::copy_options::recursive);
  const auto before = count_done(out);
  const Outcome outcome =
      run_shell(shrunk_quickstart(out, 2, "--set attacks.fgsm_eps4.epsilon=\"5/255\""));
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("attacks.fgsm_eps4.epsilon"), std::string::npos) << outcome.output;
  // The set (in two parts and joined) and its evaluation by each of nine models.
  EXPECT_EQ(count_done(out) - before, 3U + 9U) << outcome.output;
}

}  // namespace
}  // namespace sweep::test_support
