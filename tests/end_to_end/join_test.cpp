// Several runs in one output folder, with tasks that do nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "storage/store.hpp"
#include "tests/end_to_end/noop_sweep.hpp"

namespace sweep::test_support {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr char kQuick[] = R"({"seconds": 0.05})";
constexpr char kQuiet[] = "--join > /dev/null 2>&1";

/// Events of a kind over the journals of all runs of the sweep.
std::vector<Json> all_events(const NoopSweep& sweep, const std::string& kind) {
  std::vector<Json> all;
  std::error_code none_yet;
  for (const auto& run : fs::directory_iterator(sweep.out() / "runs", none_yet))
    for (const auto& event : events(journal_of(sweep.out(), run.path().filename()), kind))
      all.push_back(event);
  return all;
}

/// How often each artifact was reported as made, by any run.
std::map<std::string, int> times_made(const NoopSweep& sweep) {
  std::map<std::string, int> times;
  for (const auto& event : all_events(sweep, "done"))
    ++times[event.at("artifact").get<std::string>()];
  return times;
}

void expect_each_made_once(const NoopSweep& sweep, std::size_t artifacts) {
  const auto times = times_made(sweep);
  EXPECT_EQ(times.size(), artifacts);
  for (const auto& [artifact, count] : times) EXPECT_EQ(count, 1) << artifact;
}

bool holds_nothing(const fs::path& folder) {
  std::error_code error;
  return fs::is_empty(folder, error) && !error;
}

/// Three tasks for each trial (model, evaluations of clean and attacked images), and two for all.
std::size_t tasks_of(std::size_t trials) {
  return 3 * trials + 2;
}

bool wait_for_all_done(const NoopSweep& sweep, std::size_t count) {
  return wait_until([&] { return all_events(sweep, "done").size() >= count; }, 120);
}

class Joined : public ::testing::TestWithParam<int> {};

TEST_P(Joined, RunsOfOneSweepShareItsWork) {
  const NoopSweep sweep(20);
  std::vector<std::unique_ptr<Background>> runs;
  for (int i = 0; i < GetParam(); ++i)
    runs.push_back(std::make_unique<Background>(sweep.command(kQuiet, kQuick)));
  for (const auto& run : runs) EXPECT_EQ(run->wait(), 0);
  expect_each_made_once(sweep, tasks_of(20));
  EXPECT_EQ(all_events(sweep, "run").size(), runs.size());
  EXPECT_TRUE(holds_nothing(sweep.out() / "claims"));
}

INSTANTIATE_TEST_SUITE_P(Runs, Joined, ::testing::Values(2, 3));

TEST(Join, EachRunOfASweepHasAFolderOfItsOwnAndALaterOneTakesItAgain) {
  const NoopSweep sweep(6);
  for (int times = 1; times <= 2; ++times) {
    Background first(sweep.command(kQuiet, R"({"seconds": 0.3})"));
    ASSERT_TRUE(wait_until(
        [&] { return events(sweep.journal(), "run").size() == static_cast<std::size_t>(times); },
        60));
    Background second(sweep.command(kQuiet, R"({"seconds": 0.3})"));
    EXPECT_EQ(first.wait(), 0);
    EXPECT_EQ(second.wait(), 0);
    fs::remove_all(sweep.out() / "artifacts");
  }
  EXPECT_EQ(journal_of(sweep.out(), "noop@2").front().at("event"), "run");
  EXPECT_EQ(events(journal_of(sweep.out(), "noop@2"), "run").size(), 2u);
  EXPECT_FALSE(fs::exists(sweep.out() / "runs/noop@3"));
}

TEST(Join, WhatAKilledRunWasMakingGoesToTheOther) {
  const NoopSweep sweep(8);
  Background victim(sweep.command(kQuiet, R"({"seconds": 1000})"));
  ASSERT_TRUE(wait_until([&] { return !all_events(sweep, "started").empty(); }, 60));
  Background heir(sweep.command(kQuiet, kQuick));
  ASSERT_TRUE(wait_until(
      [&] {
        const fs::path status = sweep.out() / "runs/noop@2/status.json";
        if (!fs::exists(status)) return false;
        return Json::parse(read_text(status)).at("counts").at("elsewhere") == 1;
      },
      60))
      << "the dataset is being made by the first";
  victim.signal(SIGKILL);
  EXPECT_EQ(victim.wait(), 128 + SIGKILL);
  EXPECT_EQ(heir.wait(), 0);
  expect_each_made_once(sweep, tasks_of(8));
  EXPECT_EQ(Json::parse(read_text(sweep.out() / "runs/noop@2/status.json")).at("state"),
            "finished");
}

TEST(Join, ALaterRunHelpsAndOneThatIsStoppedGivesItsTasksBack) {
  const NoopSweep sweep(16);
  Background first(sweep.command(kQuiet, R"({"seconds": 0.2})"));
  ASSERT_TRUE(wait_for_all_done(sweep, 3));
  Background second(sweep.command(kQuiet, R"({"seconds": 0.2})"));
  ASSERT_TRUE(wait_for_all_done(sweep, 8));
  first.signal(SIGTERM);
  EXPECT_EQ(first.wait(), 75);
  Background third(sweep.command(kQuiet, R"({"seconds": 0.2})"));
  EXPECT_EQ(second.wait(), 0);
  EXPECT_EQ(third.wait(), 0);
  expect_each_made_once(sweep, tasks_of(16));
}

TEST(Join, WhatFailsInOneRunIsTriedByTheOther) {
  const NoopSweep sweep(3);
  Background slow(sweep.command(kQuiet, R"({"seconds": 0.5, "failing_kind": "model"})"));
  ASSERT_TRUE(wait_for_all_done(sweep, 1));
  Background good(sweep.command(kQuiet, R"({"seconds": 0.5})"));
  slow.wait();
  EXPECT_EQ(good.wait(), 0);
  expect_each_made_once(sweep, tasks_of(3));
}

TEST(Join, ShardsAreMadeOnceAndGoWithTheirSet) {
  const NoopSweep sweep(2);
  const std::string shards = concat("--set run.shard_size=4 ", kQuiet);
  Background first(sweep.command(shards, kQuick));
  Background second(sweep.command(shards, kQuick));
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
  const auto times = times_made(sweep);
  EXPECT_THAT(times.size(), ::testing::Gt(tasks_of(2))) << "there should be shards";
  expect_each_made_once(sweep, times.size());
  EXPECT_TRUE(holds_nothing(sweep.out() / "artifacts/adversarial_shard"));
}

TEST(Join, StatusNamesTheOtherRunsOfTheSweep) {
  const NoopSweep sweep(2);
  Background first(sweep.command(kQuiet, R"({"seconds": 1000})"));
  ASSERT_TRUE(wait_until([&] { return !all_events(sweep, "started").empty(); }, 60));
  Background second(sweep.command(kQuiet, kQuick));
  ASSERT_TRUE(wait_until([&] { return fs::exists(sweep.out() / "runs/noop@2/status.json"); }, 60));
  const std::string status =
      concat((binaries() / "sweep_runner").string(), " status ", sweep.out().string());
  const Outcome of_first = run_shell(status), of_second = run_shell(status + " --run noop@2");
  EXPECT_THAT(of_first.output, HasSubstr("1 other run works on it too"));
  EXPECT_THAT(of_first.output, HasSubstr(concat("noop@2  running  process ", second.pid())));
  EXPECT_THAT(of_second.output, HasSubstr(concat("noop  running  process ", first.pid())));
  const Outcome drain = run_shell(concat((binaries() / "sweep_runner").string(), " drain ",
                                         sweep.out().string(), " --run noop@2"));
  EXPECT_EQ(drain.status, 0) << drain.output;
  EXPECT_EQ(second.wait(), 75);
  EXPECT_TRUE(events(sweep.journal(), "control").empty()) << "the first was not meant";
}

TEST(Join, OnlyThoseThatJoinShareAFolder) {
  const NoopSweep sweep(2);
  {
    Background joined(sweep.command(kQuiet, R"({"seconds": 1000})"));
    ASSERT_TRUE(wait_until([&] { return !all_events(sweep, "started").empty(); }, 60));
    const Outcome refused = run_shell(sweep.command(""));
    EXPECT_EQ(refused.status, 2);
    EXPECT_THAT(refused.output, HasSubstr(concat("in use by another run (process ", joined.pid())));
    EXPECT_THAT(refused.output, HasSubstr("sweep 'noop'"));
    EXPECT_THAT(refused.output, HasSubstr("--join"));
    const Outcome gc = run_shell(
        concat((binaries() / "sweep_runner").string(), " gc ", sweep.out().string(), " --delete"));
    EXPECT_EQ(gc.status, 2) << gc.output;
  }
  Background alone(sweep.command("> /dev/null 2>&1", R"({"seconds": 1000})"));
  ASSERT_TRUE(wait_until([&] { return all_events(sweep, "started").size() == 2; }, 60));
  const Outcome refused = run_shell(sweep.command("--join"));
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.output, HasSubstr(concat("process ", alone.pid())));
}

TEST(Join, ARunThatIsTakenForDeadEndsAndCanGoOn) {
  const NoopSweep sweep(4);
  fs::create_directories(sweep.out());
  const fs::path said = sweep.out() / "said";
  Background run(sweep.command(concat("--join > ", said.string(), " 2>&1"), R"({"seconds": 0.4})"));
  ASSERT_TRUE(wait_for_all_done(sweep, 1));
  for (const auto& member : fs::directory_iterator(sweep.out() / "members"))
    if (member.path().filename() != "lock") fs::remove(member.path());
  EXPECT_EQ(run.wait(), 75);
  EXPECT_THAT(read_text(said), HasSubstr("taken this one for dead"));
  EXPECT_EQ(run_shell(sweep.command("--join")).status, 0);
}

}  // namespace
}  // namespace sweep::test_support
