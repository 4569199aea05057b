#include "runner/inspect/run_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "runner/inspect/requests.hpp"
#include "runner/inspect/status_report.hpp"
#include "tests/runner/inspect/small_run.hpp"
#include "tests/support/message_of.hpp"

namespace sweep::inspect {
namespace {

using test_support::SmallRun;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

State task(const RunView& run, SmallRun::Task task) {
  return run.tasks()[task].state;
}

State trial(const RunView& run, std::size_t trial) {
  return run.trials()[trial].state;
}

std::size_t count(const Counts& counts, State state) {
  return counts[static_cast<std::size_t>(state)];
}

TEST(RunView, ReadsTheStateOfEveryTask) {
  const SmallRun files;
  files.add_run();
  files.make({SmallRun::dataset, SmallRun::model_0, SmallRun::clean_0});
  files.add("started", SmallRun::attacker, {{"attempt", 1}});
  files.add("started", SmallRun::model_1);
  files.add("failed", SmallRun::model_1,
            {{"failure", "crash"}, {"message", "signal 9"}, {"final", true}});
  files.write_living_status();
  const RunView run = files.view();
  EXPECT_EQ(run.state(), RunState::running);
  EXPECT_EQ(task(run, SmallRun::dataset), State::done);
  EXPECT_EQ(task(run, SmallRun::attacker), State::running);
  EXPECT_EQ(task(run, SmallRun::shard_a), State::waiting);
  EXPECT_EQ(task(run, SmallRun::attacked_0), State::waiting);
  EXPECT_EQ(task(run, SmallRun::model_1), State::failed);
  EXPECT_EQ(task(run, SmallRun::clean_1), State::blocked);
  EXPECT_EQ(trial(run, 0), State::waiting);  // for the attacker, which is not its own
  EXPECT_EQ(trial(run, 1), State::failed);
  EXPECT_EQ(run.trials()[1].why, "train defended seed=1: crash: signal 9");
  EXPECT_EQ(trial(run, 2), State::running);
  EXPECT_EQ(count(run.task_counts(), State::done), 3U);
  EXPECT_EQ(exit_code(run), 1);
}

TEST(RunView, ReadyIsWhatHasAllItsInputs) {
  const SmallRun files;
  files.make({SmallRun::dataset, SmallRun::attacker});
  const RunView run = files.view();
  EXPECT_EQ(run.state(), RunState::not_started);
  EXPECT_EQ(exit_code(run), 75);
  EXPECT_EQ(task(run, SmallRun::shard_a), State::ready);
  EXPECT_EQ(task(run, SmallRun::set), State::waiting);
}

TEST(RunView, PartsAreDoneWhenTheWholeIs) {
  const SmallRun files;
  files.make({SmallRun::dataset, SmallRun::attacker, SmallRun::set});
  const RunView run = files.view();
  EXPECT_EQ(task(run, SmallRun::shard_a), State::done);
  EXPECT_EQ(task(run, SmallRun::shard_b), State::done);
}

TEST(RunView, AFailureOfWhatIsSharedBlocksTheOthers) {
  const SmallRun files;
  files.add_run();
  files.make(SmallRun::dataset);
  files.add("failed", SmallRun::attacker, {{"failure", "not_finite"}, {"message", "epoch 3"}});
  const RunView run = files.view();
  EXPECT_EQ(trial(run, 0), State::blocked);
  EXPECT_EQ(run.trials()[0].why, "train none seed=0: not_finite: epoch 3");
  EXPECT_EQ(trial(run, 2), State::failed);  // it is the trial's own model
}

TEST(RunView, OnlyTheLastWordCounts) {
  const SmallRun files;
  files.add_run();
  files.add("started", SmallRun::model_0, {{"attempt", 1}});
  files.add("failed", SmallRun::model_0, {{"final", false}});
  files.write_living_status();
  RunView run = files.view();
  EXPECT_EQ(task(run, SmallRun::model_0), State::waiting);  // to be tried again
  files.add("started", SmallRun::model_0, {{"attempt", 2}});
  run.refresh();
  EXPECT_EQ(task(run, SmallRun::model_0), State::running);
  EXPECT_EQ(run.history().task(SmallRun::model_0).attempts.size(), 2U);
  files.add("stopped", SmallRun::model_0);
  run.refresh();
  EXPECT_EQ(task(run, SmallRun::model_0), State::waiting);
  files.add("pruned", SmallRun::model_0, {{"metric", "accuracy"}});
  run.refresh();
  EXPECT_EQ(task(run, SmallRun::model_0), State::pruned);
  EXPECT_EQ(trial(run, 0), State::pruned);
  // An artifact that is there is more than any word.
  files.make(SmallRun::model_0);
  run.refresh();
  EXPECT_EQ(task(run, SmallRun::model_0), State::done);
}

TEST(RunView, WhatHasFailedStaysSoUntilItIsRetried) {
  const SmallRun files;
  files.add_run(1);
  files.make(SmallRun::dataset);
  files.add("failed", SmallRun::model_0, {{"final", true}});
  files.add_run(2);
  RunView run = files.view();
  EXPECT_EQ(task(run, SmallRun::model_0), State::failed);
  files.add({{"event", "control"},
             {"command", "retry"},
             {"tasks", {SmallRun::hash(SmallRun::model_0)}},
             {"outcome", "1 task"}});
  run.refresh();
  EXPECT_EQ(task(run, SmallRun::model_0), State::ready);
  files.add("failed", SmallRun::model_0, {{"final", true}});
  files.add({{"event", "run"}, {"epoch", 3}, {"retry_failed", true}});
  run.refresh();
  EXPECT_EQ(task(run, SmallRun::model_0), State::ready);
}

TEST(RunView, WhatARunLeftBehindIsNotRunning) {
  const SmallRun files;
  files.add_run(1);
  files.make(SmallRun::dataset);
  files.add("started", SmallRun::model_0);
  files.add_run(2);
  files.write_living_status({});
  const RunView run = files.view();
  EXPECT_EQ(task(run, SmallRun::model_0), State::ready);
  EXPECT_EQ(run.history().task(SmallRun::model_0).attempts.front().outcome, "lost");
}

TEST(RunView, KnowsThatARunHasDied) {
  const SmallRun files;
  files.add({{"event", "run"}, {"epoch", 1}, {"time", "2026-01-31T12:00:00Z"}});
  files.write_status({{"state", "running"},
                      {"epoch", 1},
                      {"time", "2026-01-31T12:34:56Z"},
                      {"host", "node1"},
                      {"pid", 4711}});
  const RunView run = files.view();
  EXPECT_EQ(run.state(), RunState::died);
  EXPECT_EQ(exit_code(run), 75);
  EXPECT_THAT(run_state_text(run), HasSubstr("no sign of life since 2026-01-31 12:34:56 UTC ("));
  EXPECT_THAT(run_state_text(run), HasSubstr("process 4711 on node1"));
}

TEST(RunView, AnOldStatusSaysNothingOfANewRun) {
  const SmallRun files;
  files.add_run(1);
  files.write_status({{"state", "interrupted"}, {"epoch", 1}, {"time", storage::utc_time()}});
  EXPECT_EQ(files.view().state(), RunState::interrupted);
  EXPECT_EQ(exit_code(files.view()), 75);
  files.add_run(2);
  EXPECT_EQ(files.view().state(), RunState::running);
  EXPECT_EQ(exit_code(files.view()), 0);
}

TEST(RunView, TakesTheEndFromTheJournalWhereThereIsNoStatus) {
  const SmallRun files;
  files.add_run(1);
  files.add({{"event", "end"}, {"state", "finished"}, {"done", 13}});
  EXPECT_EQ(files.view().state(), RunState::finished);
  EXPECT_EQ(exit_code(files.view()), 0);
}

TEST(RunView, AddsUpTheTimeOfAllAttempts) {
  const SmallRun files;
  files.add_run();
  files.add("started", SmallRun::model_0, {{"time", "2026-01-31T12:00:00Z"}});
  files.add("failed", SmallRun::model_0, {{"time", "2026-01-31T12:00:10Z"}});
  files.add("started", SmallRun::model_0, {{"time", "2026-01-31T12:01:00Z"}});
  files.add("done", SmallRun::model_0, {{"time", "2026-01-31T12:02:00Z"}, {"seconds", 59.5}});
  const RunView run = files.view();
  EXPECT_DOUBLE_EQ(run.tasks()[SmallRun::model_0].seconds, 69.5);
  EXPECT_DOUBLE_EQ(run.trials()[0].seconds, 69.5);
  EXPECT_DOUBLE_EQ(run.trials()[1].seconds, 0);
}

TEST(RunView, ReadsAJournalThatIsBeingWritten) {
  const SmallRun files;
  files.add_run();
  std::ofstream journal(files.path() / "journal.jsonl", std::ios::app);
  const std::string line =
      Json{{"event", "started"}, {"artifact", SmallRun::hash(SmallRun::dataset)}}.dump();
  journal << line.substr(0, 20) << std::flush;
  files.write_living_status();
  RunView run = files.view();
  EXPECT_EQ(task(run, SmallRun::dataset), State::ready);
  EXPECT_TRUE(run.problems().empty());
  journal << line.substr(20) << "\n" << std::flush;
  run.refresh();
  EXPECT_EQ(task(run, SmallRun::dataset), State::running);
}

TEST(RunView, LeavesOutLinesThatAreNoEvents) {
  const SmallRun files;
  files.add_run();
  for (const char* line :
       {"{\"event\": \"done\"", "[]", "{}", "{\"event\": 3}",
        "{\"event\": \"run\", \"epoch\": \"two\"}", "{\"event\": \"done\", \"artifact\": [1]}",
        "{\"event\": \"started\", \"artifact\": \"da7a\", \"time\": \"noon\"}",
        "{\"event\": \"done\", \"artifact\": \"da7a\", \"seconds\": \"many\"}", "\xff\xfe"})
    files.add_line(line);
  files.add_line(std::string(100'000, '['));
  files.add("started", SmallRun::attacker);
  files.write_living_status();
  const RunView run = files.view();
  EXPECT_EQ(run.problems().size(), 10U);
  EXPECT_THAT(run.problems(), ::testing::Contains(HasSubstr("line 4: '")));
  EXPECT_THAT(run.problems(), ::testing::Contains(HasSubstr("seconds is not a number")));
  EXPECT_EQ(task(run, SmallRun::attacker), State::running);
  EXPECT_EQ(run.history().epoch(), 1);
}

TEST(RunView, ADamagedStatusIsToldAndTheRestIsShown) {
  const SmallRun files;
  files.add_run();
  for (const Json& status :
       {Json{{"state", 3}}, Json{{"state", "running"}, {"ranks", "many"}},
        Json{{"state", "running"}, {"ranks", {{{"rank", 1e300}}}}}, Json{{"time", "yesterday"}}}) {
    files.write_status(status);
    const RunView run = files.view();
    ASSERT_EQ(run.problems().size(), 1U) << status;
    EXPECT_THAT(run.problems().front(), HasSubstr("status.json' is damaged"));
    EXPECT_EQ(run.state(), RunState::running);
  }
}

TEST(Requests, CancelWhatNoOtherTrialNeeds) {
  const SmallRun files;
  files.add_run();
  files.make(SmallRun::dataset);
  const RunView run = files.view();
  EXPECT_THAT(tasks_to_cancel(run, {0}),
              ElementsAre(SmallRun::model_0, SmallRun::clean_0, SmallRun::attacked_0));
  EXPECT_THAT(tasks_to_cancel(run, {2}), ElementsAre(SmallRun::clean_2, SmallRun::attacked_2));
  EXPECT_EQ(tasks_to_cancel(run, {0, 1, 2}).size(), 12U);  // all but the dataset, which is done
}

TEST(Requests, WhatCancelledTrialsNeedMayBeCancelled) {
  const SmallRun files;
  files.add_run();
  files.make(SmallRun::dataset);
  for (const auto task : {SmallRun::model_0, SmallRun::clean_0, SmallRun::attacked_0,
                          SmallRun::model_1, SmallRun::clean_1, SmallRun::attacked_1})
    files.add("cancelled", task);
  const RunView run = files.view();
  EXPECT_EQ(run.trials()[0].state, State::cancelled);
  EXPECT_THAT(tasks_to_cancel(run, {2}),
              ElementsAre(SmallRun::attacker, SmallRun::shard_a, SmallRun::shard_b, SmallRun::set,
                          SmallRun::clean_2, SmallRun::attacked_2));
  EXPECT_TRUE(tasks_to_cancel(run, {0}).empty());
  EXPECT_THAT(tasks_to_retry(run, {0}),
              ElementsAre(SmallRun::model_0, SmallRun::clean_0, SmallRun::attacked_0));
}

TEST(Requests, RetryWhatHasFailedAndWhatItBlocks) {
  const SmallRun files;
  files.add_run();
  files.make({SmallRun::dataset, SmallRun::model_0, SmallRun::clean_0});
  files.add("failed", SmallRun::attacker, {{"final", true}});
  const RunView run = files.view();
  EXPECT_THAT(tasks_to_retry(run, {0}),
              ElementsAre(SmallRun::attacker, SmallRun::shard_a, SmallRun::shard_b, SmallRun::set,
                          SmallRun::attacked_0));
  EXPECT_THAT(unfinished_tasks(run, {0}), ElementsAre(1, 2, 3, 4, 7));
}

/// 10,000 trials and 40,000 lines: a second, on any machine that also compiles.
TEST(RunView, IsFast) {
  Json plan = SmallRun::small_plan();
  Json& tasks = plan["tasks"];
  Json trials = Json::array();
  const SmallRun files;
  std::string journal = R"({"event": "run", "epoch": 1, "time": "2026-01-31T12:00:00Z"})"
                        "\n";
  const Json spec = {{"dataset", {{"name", "isic"}, {"image_size", 224}, {"root", "data"}}},
                     {"training",
                      {{"epochs", 80},
                       {"learning_rate", 0.01},
                       {"momentum", 0.9},
                       {"weight_decay", 1e-4},
                       {"batch_size", 64},
                       {"gamma", 0.1},
                       {"milestones", {0.5, 0.75}},
                       {"seed", 0},
                       {"flip", true}}},
                     {"model", {{"name", "resnet18"}, {"weights", ""}}},
                     {"defence", {{"name", "denoising"}, {"lambda_n", 1.0}}}};
  for (int i = 0; i < 10'000; ++i) {
    const std::string model = concat("f00d", std::string(54, '0'), 100'000 + i);
    const std::string evaluation = concat("feed", std::string(54, '0'), 100'000 + i);
    for (const auto& [kind, hash] :
         {std::pair("model", model), std::pair("evaluation", evaluation)}) {
      tasks.push_back({{"kind", kind},
                       {"hash", hash},
                       {"label", concat(kind, " ", i)},
                       {"inputs", {std::string(kind) == "model" ? 0 : tasks.size() - 1}},
                       {"cost", 1.0},
                       {"devices", 1},
                       {"temporary", false}});
      for (const char* event : {"started", "done"})
        journal += Json{{"event", event},
                        {"artifact", hash},
                        {"kind", kind},
                        {"attempt", 1},
                        {"task", concat(kind, " ", i)},
                        {"rank", 3},
                        {"seconds", 4.5},
                        {"time", "2026-01-31T12:00:00Z"},
                        {"log", concat("runs/small/logs/", kind, "-", i, ".1.1.log")}}
                       .dump() +
                   "\n";
    }
    trials.push_back({{"id", i + 3},
                      {"label", concat("trial ", i)},
                      {"spec", spec},
                      {"evaluations", {{"clean", evaluation}}}});
  }
  plan["table"]["rows"].push_back({{"label", "many"}, {"trials", trials}});
  files.write_plan(plan.dump(2));
  write_atomically(files.path() / "journal.jsonl", journal);
  const auto begin = std::chrono::steady_clock::now();
  const RunView run = files.view();
  const std::string text = status_text(run);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  RecordProperty("milliseconds", static_cast<int>(1000 * seconds.count()));
  EXPECT_EQ(run.trials().size(), 10'003U);
  EXPECT_LT(seconds.count(), 5) << "far from the second that it is to take";
  std::cout << "10,000 trials, 40,000 lines: " << seconds.count() << " s\n";
}

}  // namespace
}  // namespace sweep::inspect
