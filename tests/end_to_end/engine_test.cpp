// How a run is steered and how it fails, with tasks that do nothing (or fail as they are told).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <fstream>
#include <regex>

#include "tests/end_to_end/noop_sweep.hpp"
#include "tests/end_to_end/same_results.hpp"

namespace sweep::test_support {
namespace {

using ::testing::Gt;
using ::testing::HasSubstr;

constexpr char kSlow[] = R"({"seconds": 0.3})";

void request(const NoopSweep& sweep, const Json& text) {
  static int number = 0;
  create_folders(sweep.run_folder() / "control");
  write_atomically(sweep.run_folder() / "control" / concat("2026-", ++number, ".json"),
                   text.dump());
}

/// Names of the artifacts of a kind, in the order of the plan.
std::vector<std::string> artifacts(const NoopSweep& sweep, const std::string& kind) {
  std::vector<std::string> names;
  const Json plan = Json::parse(read_text(sweep.run_folder() / "plan.json"));
  for (const auto& task : plan.at("tasks"))
    if (task.at("kind") == kind) names.push_back(task.at("hash"));
  return names;
}

bool wait_for_done(const NoopSweep& sweep, std::size_t count) {
  return wait_until([&] { return events(sweep.journal(), "done").size() >= count; }, 60);
}

class Steered : public ::testing::TestWithParam<int> {
 protected:
  std::string ranks() const { return GetParam() == 0 ? "" : concat("--np ", GetParam(), " "); }
};

TEST_P(Steered, DrainLetsRunningTasksEnd) {
  const NoopSweep sweep(40);
  Background run(sweep.command(ranks() + "> /dev/null 2>&1", kSlow));
  ASSERT_TRUE(wait_for_done(sweep, 2));
  request(sweep, {{"command", "drain"}});
  EXPECT_EQ(run.wait(), 75);
  EXPECT_EQ(sweep.status().at("state"), "interrupted");
  EXPECT_EQ(sweep.status().at("counts").at("running"), 0);
  EXPECT_TRUE(events(sweep.journal(), "stopped").empty()) << "they were to end, not to be stopped";
  EXPECT_EQ(events(sweep.journal(), "control").front().at("outcome"), "obeyed");
  EXPECT_TRUE(std::filesystem::is_empty(sweep.run_folder() / "control"));
}

TEST_P(Steered, CancelledTasksAreLeftOutUntilRetried) {
  const NoopSweep sweep(8);
  Background run(sweep.command(ranks() + "> /dev/null 2>&1", kSlow));
  ASSERT_TRUE(wait_for_done(sweep, 2));
  const std::string victim = artifacts(sweep, "model").back();
  request(sweep, {{"command", "cancel"}, {"tasks", {victim, "unknown"}}});
  EXPECT_EQ(run.wait(), 1);
  EXPECT_EQ(sweep.status().at("counts").at("cancelled"), 1);
  EXPECT_EQ(sweep.status().at("counts").at("blocked"), 2);
  EXPECT_EQ(events(sweep.journal(), "control").front().at("outcome"),
            "1 of 2 tasks are of this run");
  EXPECT_EQ(run_shell(sweep.command(ranks())).status, 1) << "it stays cancelled";
  EXPECT_EQ(sweep.times_made().count(victim), 0u);
  request(sweep, {{"command", "retry"}, {"tasks", {victim}}});
  const Outcome outcome = run_shell(sweep.command(ranks()));
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_EQ(sweep.times_made().at(victim), 1);
}

TEST_P(Steered, ARunningTaskIsCancelled) {
  const NoopSweep sweep(2);
  Background run(sweep.command(ranks() + "> /dev/null 2>&1", R"({"seconds": 1})"));
  std::string victim;
  ASSERT_TRUE(wait_until(
      [&] {
        for (const auto& event : events(sweep.journal(), "started"))
          if (event.at("kind") == "model") victim = event.at("artifact");
        return !victim.empty();
      },
      60));
  request(sweep, {{"command", "cancel"}, {"tasks", {victim}}});
  EXPECT_EQ(run.wait(), 1);
  ASSERT_EQ(events(sweep.journal(), "cancelled").size(), 1u);
  EXPECT_EQ(events(sweep.journal(), "cancelled").front().at("artifact"), victim);
}

TEST_P(Steered, PriorityComesBeforeTheLongestPath) {
  const NoopSweep sweep(30);
  Background run(sweep.command(ranks() + "> /dev/null 2>&1", R"({"seconds": 0.05})"));
  ASSERT_TRUE(wait_for_done(sweep, 3));
  const std::string favourite = artifacts(sweep, "model").back();
  request(sweep, {{"command", "set-priority"}, {"tasks", {favourite}}, {"priority", 9}});
  EXPECT_EQ(run.wait(), 0);
  std::size_t position = 0, count = 0;
  for (const auto& event : events(sweep.journal(), "started")) {
    if (event.at("kind") != "model") continue;
    ++count;
    if (event.at("artifact") == favourite) position = count;
  }
  EXPECT_EQ(count, 30u);
  EXPECT_THAT(position, ::testing::Lt(29u)) << "without a priority it is the last";
}

INSTANTIATE_TEST_SUITE_P(Engine, Steered, ::testing::Values(0, 2));

TEST(Engine, WhatFailedStaysSoUntilRetryFailed) {
  const NoopSweep sweep(3);
  EXPECT_EQ(run_shell(sweep.command("", R"({"failing_kind": "dataset"})")).status, 2);
  EXPECT_EQ(run_shell(sweep.command("", R"({"failing_kind": "evaluation"})")).status, 1);
  EXPECT_EQ(sweep.status().at("counts").at("failed"), 6);
  const auto attempts = events(sweep.journal(), "started").size();
  const Outcome again = run_shell(sweep.command(""));
  EXPECT_EQ(again.status, 1) << again.output;
  EXPECT_THAT(again.output, HasSubstr("failed in an earlier run"));
  EXPECT_EQ(events(sweep.journal(), "started").size(), attempts) << "nothing else was open";
  const Outcome retried = run_shell(sweep.command("--retry-failed"));
  EXPECT_EQ(retried.status, 0) << retried.output;
}

/// A run that its batch system ends in `seconds`.
std::string within(std::int64_t seconds, const std::string& command) {
  return concat("SLURM_JOB_ID=7 SWEEP_SAVE_AT=", std::time(nullptr) + seconds, " ", command);
}

/// Until so many tasks are done.
void begin(const NoopSweep& sweep, std::size_t done, const char* behaviour) {
  Background run(sweep.command("> /dev/null 2>&1", behaviour));
  ASSERT_TRUE(wait_for_done(sweep, done));
  request(sweep, {{"command", "stop"}});
  EXPECT_EQ(run.wait(), 75);
}

/// Preparing a dataset says nothing of how long trainings take.
TEST(Engine, WhatHasNotBeenMeasuredMayTryBeforeATimeLimit) {
  const NoopSweep sweep(2);
  begin(sweep, 1, R"({"seconds": 2})");
  const Outcome outcome = run_shell(within(20, sweep.command("", R"({"seconds": 0.05})")));
  EXPECT_EQ(outcome.status, 0) << outcome.output;
}

TEST(Engine, ATimeLimitThatNothingFitsIntoIsSaid) {
  const NoopSweep sweep(2);
  ASSERT_EQ(run_shell(sweep.command("")).status, 0);
  // As if every task had taken a quarter of an hour; then one model is lost.
  const auto journal = sweep.run_folder() / "journal.jsonl";
  write_atomically(journal,
                   std::regex_replace(read_text(journal), std::regex(R"("seconds":[0-9.e-]+)"),
                                      R"("seconds":900)"));
  std::filesystem::remove(artifacts_of(sweep.out()).lower_bound("model/")->second);
  const std::string command = sweep.command("--set run.checkpoint_seconds=3600");
  const Outcome outcome = run_shell(within(60, command));
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.output, HasSubstr("give it more time"));
  EXPECT_THAT(outcome.output, HasSubstr("with more time the same command goes on"));
  EXPECT_EQ(run_shell(within(1000, command)).status, 0);
}

TEST(Engine, FailFastAndMaxFailuresEndTheRun) {
  for (const char* limit : {"--fail-fast", "--max-failures 1", "--max-failures 2%"}) {
    const NoopSweep sweep(50);
    const Outcome outcome = run_shell(sweep.command(limit, R"({"failing_kind": "evaluation"})"));
    EXPECT_EQ(outcome.status, 1) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("stopping (1 trial"));
    EXPECT_THAT(sweep.status().at("counts").at("done").get<int>(), ::testing::Lt(100));
  }
  const NoopSweep sweep(2);
  const Outcome bad = run_shell(sweep.command("--max-failures 0"));
  EXPECT_EQ(bad.status, 2);
  EXPECT_THAT(bad.output, HasSubstr("run.max_failures = \"0\" is no limit"));
}

TEST(Engine, ATaskThatTakesTooLongIsKilledAndTriedAgain) {
  const NoopSweep sweep(1);
  const Outcome outcome =
      run_shell(sweep.command("--set run.task_timeout=0.3", R"({"seconds": 5})"));
  EXPECT_EQ(outcome.status, 2) << outcome.output;  // its first task is the dataset
  const auto failures = events(sweep.journal(), "failed");
  ASSERT_EQ(failures.size(), 2u);
  EXPECT_EQ(failures[0].at("failure"), "timeout");
  EXPECT_EQ(failures[0].at("final"), false);
  EXPECT_EQ(failures[1].at("final"), true);
  EXPECT_THAT(failures[1].at("message").get<std::string>(), HasSubstr("run.task_timeout"));
}

int most_at_once(const NoopSweep& sweep) {
  int running = 0, most = 0;
  for (const auto& event : sweep.journal()) {
    if (event.at("event") == "started") most = std::max(most, ++running);
    if (event.at("event") == "done") --running;
  }
  return most;
}

TEST(Engine, MaxConcurrentIsKept) {
  const NoopSweep sweep(12);
  ASSERT_EQ(run_shell(sweep.command("--np 4 --max-concurrent 2", R"({"seconds": 0.05})")).status,
            0);
  EXPECT_EQ(most_at_once(sweep), 2);
}

TEST(Engine, AHostGetsNoMoreTasksThanItsMemoryHolds) {
  const NoopSweep sweep(6);
  const Outcome outcome =
      run_shell(sweep.command("--np 3 --set run.memory_per_task=900000", R"({"seconds": 0.05})"));
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("it works on one task at a time"));
  EXPECT_EQ(most_at_once(sweep), 1);
}

TEST(Engine, TrialsOfSeveralDevicesRunOnSeveralRanks) {
  const NoopSweep sweep(12);
  const Outcome outcome =
      run_shell(sweep.command("--np 4 --devices-per-trial 2", R"({"seconds": 0.05})"));
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  for (const auto& event : events(sweep.journal(), "started"))
    EXPECT_EQ(event.at("ranks").size(), event.at("kind") == "model" ? 2u : 1u) << event.dump();
  const NoopSweep impossible(1);
  const Outcome refused = run_shell(impossible.command("--np 2 --devices-per-trial 3"));
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.output, HasSubstr("there are 2 ranks"));
}

TEST(Engine, ProgressAsJsonIsJson) {
  const NoopSweep sweep(5);
  const Outcome outcome = run_shell(sweep.command("--progress json"));
  ASSERT_EQ(outcome.status, 0);
  std::map<std::string, int> count;
  for (const auto& line : split(outcome.output, '\n'))
    if (!line.empty()) ++count[Json::parse(line).at("event").get<std::string>()];
  EXPECT_EQ(count.at("ended"), 17);  // dataset, adversarial set, 5 models, 10 evaluations
  EXPECT_THAT(count.at("note"), Gt(1));
  EXPECT_THAT(count.at("status"), Gt(0));
}

TEST(Engine, ARankOnWhichEveryTaskFailsIsTakenOut) {
  const TemporaryFolder folder;
  const NoopSweep sweep(30);
  const Outcome outcome = run_shell(sweep.command(
      "--np 3", concat(R"({"seconds": 0.03, "bad_place": ")", (folder / "bad").string(), "\"}")));
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  const auto failed = events(sweep.journal(), "failed");
  ASSERT_EQ(failed.size(), 3u) << outcome.output;
  for (const auto& event : failed) {
    EXPECT_EQ(event.at("rank"), failed[0].at("rank"));
    EXPECT_EQ(event.at("final"), false);
  }
  const auto out = events(sweep.journal(), "device_out");
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].at("rank"), failed[0].at("rank"));
  EXPECT_THAT(outcome.output, HasSubstr("is taken out: 3 tasks in a row"));
}

pid_t parent_of(pid_t pid) {
  const std::string stat = read_text(concat("/proc/", pid, "/stat"));  // pid (name) state parent
  return std::stoi(stat.substr(stat.rfind(')') + 4));
}

/// -> exit status and output of a run one of whose ranks gets a signal.
Outcome run_with_signal_to_a_rank(const NoopSweep& sweep, int signal) {
  const auto log = sweep.out().parent_path() / "log";
  Background run(sweep.command(concat("--np 2 > ", log.string(), " 2>&1"), kSlow));
  if (!wait_for_done(sweep, 1)) return {-1, read_text(log)};
  const auto started = events(sweep.journal(), "started");
  ::kill(parent_of(started.back().at("pid").get<pid_t>()), signal);
  const int status = run.wait();
  return {status, read_text(log)};
}

TEST(Engine, ARankThatIsKilledIsSaidAndTheSameCommandGoesOn) {
  const NoopSweep sweep(20);
  const Outcome killed = run_with_signal_to_a_rank(sweep, SIGKILL);
  EXPECT_EQ(killed.status, 75) << killed.output;
  EXPECT_THAT(killed.output, HasSubstr("a rank was killed by signal 9"));
  EXPECT_THAT(killed.output, HasSubstr("the same command goes on"));
  const Outcome again = run_shell(sweep.command("--np 2"));
  EXPECT_EQ(again.status, 0) << again.output;
  for (const auto& [artifact, times] : sweep.times_made()) EXPECT_EQ(times, 1) << artifact;
}

TEST(Engine, ARankThatCrashesIsNotStartedAgainByABatchSystem) {
  const Outcome crashed = run_with_signal_to_a_rank(NoopSweep(20), SIGABRT);
  EXPECT_EQ(crashed.status, 1) << crashed.output;
  EXPECT_THAT(crashed.output, HasSubstr("a rank was killed by signal 6"));
}

TEST(Engine, AStopThatCameTooLateDoesNotStopTheNextRun) {
  const NoopSweep sweep(1);
  request(sweep, {{"command", "drain"}});
  request(sweep, {{"command", "stop"}});
  const Outcome outcome = run_shell(sweep.command(""));
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  ASSERT_EQ(events(sweep.journal(), "control").size(), 2u);
  EXPECT_THAT(events(sweep.journal(), "control")[0].at("outcome").get<std::string>(),
              HasSubstr("refused"));
}

TEST(Engine, RequestsThatAreNoneAreRemovedWithAWarning) {
  const NoopSweep sweep(1);
  std::filesystem::create_directories(sweep.run_folder() / "control");
  for (const char* text : {"", "[]", R"({"command": "rm"})", R"({"command": 3})",
                           R"({"command": "cancel", "tasks": "x"})",
                           R"({"command": "set-priority", "priority": 1e300})"})
    write_atomically(
        sweep.run_folder() / "control" / concat("x", std::string(text).size(), ".json"), text);
  const Outcome outcome = run_shell(sweep.command(""));
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("is no request"));
  EXPECT_TRUE(std::filesystem::is_empty(sweep.run_folder() / "control"));
}

}  // namespace
}  // namespace sweep::test_support
