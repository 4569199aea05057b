// The verbs as their user runs them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/end_to_end/program.hpp"
#include "tests/runner/inspect/small_run.hpp"

namespace sweep::test_support {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Verbs : public ::testing::Test {
 protected:
  Verbs() {
    files_.add_run();
    files_.make(SmallRun::dataset);
  }
  std::string command(const std::string& arguments) const {
    return concat("env -C ", files_.out().parent_path().string(), " ",
                  (binaries() / "sweep_runner").string(), " ", arguments);
  }
  Outcome run(const std::string& arguments) const { return run_shell(command(arguments)); }

  std::string said() const { return (files_.out() / "said").string(); }
  std::optional<std::filesystem::path> request_file() const {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(files_.path() / "control", error))
      if (entry.path().extension() == ".json") return entry.path();
    return std::nullopt;
  }
  Json request() const {
    const auto path = request_file();
    return path ? Json::parse(read_text(*path)) : Json();
  }
  /// Does what a coordinator does with a request.
  Json answer(const std::string& outcome) const {
    EXPECT_TRUE(wait_until([&] { return request_file().has_value(); }, 10));
    Json event = request();
    const Json asked = event;
    event.update({{"event", "control"}, {"outcome", outcome}});
    files_.add(event);
    std::filesystem::remove(*request_file());
    return asked;
  }

  SmallRun files_;
};

TEST_F(Verbs, StatusOfARunThatGoesOn) {
  files_.add("started", SmallRun::model_0, {{"attempt", 2}});
  files_.write_living_status({{"eta_s", 640},
                              {"elapsed_s", 812},
                              {"ranks",
                               {{{"rank", 0},
                                 {"host", "node1"},
                                 {"device", "cuda 0"},
                                 {"state", "busy"},
                                 {"task", 5},
                                 {"label", "train defended seed=0"},
                                 {"attempt", 2},
                                 {"since_s", 35},
                                 {"fraction", 0.4},
                                 {"text", "epoch 4/10 loss 1.2345 850 images/s"},
                                 {"memory_bytes", 3221225472.0}},
                                {{"rank", 1}, {"state", "idle"}}}}});
  const Outcome text = run("status out");
  EXPECT_EQ(text.status, 0) << text.output;
  for (const char* part :
       {"small  running  13 min 32 s  ETA 10 min 40 s\n",
        "trials  0 of 3 done, 1 running, 2 waiting\n",
        "tasks   1 of 13 done, 1 running, 2 ready, 9 waiting\n",
        "  dataset           [########################] 1 of 1 done\n",
        "  rank 0  node1 cuda 0  busy  train defended seed=0  40 %  epoch 4/10 loss 1.2345 850 "
        "images/s  3.0 GiB  attempt 2  for 35.0 s\n"})
    EXPECT_THAT(text.output, HasSubstr(part));
  const Json json = Json::parse(run("status --dir out --json").output);
  EXPECT_EQ(json.at("state"), "running");
  EXPECT_EQ(json.at("exit_status"), 0);
  EXPECT_EQ(json.at("tasks").at("ready"), 2);
  EXPECT_EQ(json.at("ranks")[0].at("fraction"), 0.4);
  EXPECT_EQ(json.at("eta_s"), 640);
}

TEST_F(Verbs, StatusSaysWhatHasFailedAndWhere) {
  files_.add("failed", SmallRun::attacker,
             {{"failure", "out_of_memory"}, {"message", "bad\x1b[2J"}, {"log", "logs/m.log"}});
  files_.write_status({{"state", "failed"}, {"epoch", 1}, {"exit_code", 1}});
  const Outcome text = run("status out");
  EXPECT_EQ(text.status, 1);
  EXPECT_THAT(text.output, AllOf(HasSubstr("train none seed=0: out_of_memory: bad [2J\n"),
                                 HasSubstr("    log: logs/m.log\n"), Not(HasSubstr("\x1b"))));
  EXPECT_EQ(Json::parse(run("status out --json").output).at("failures").size(), 1U);
}

TEST_F(Verbs, StatusWatchesUntilTheEnd) {
  files_.write_living_status();
  const auto out = (files_.out() / "watched").string();
  Background watch(command("status out --watch=0.1 --json > " + out));
  EXPECT_TRUE(wait_until(
      [&] { return std::filesystem::exists(out) && split(read_text(out), '\n').size() > 3; }, 10));
  files_.write_status({{"state", "interrupted"}, {"epoch", 1}});
  EXPECT_EQ(watch.wait(), 75);
  const auto lines = split(read_text(out), '\n');
  EXPECT_EQ(Json::parse(lines.front()).at("state"), "running");
  EXPECT_EQ(Json::parse(lines[lines.size() - 2]).at("state"), "interrupted");
}

TEST_F(Verbs, ListShowLogs) {
  files_.write_log("m.log", "epoch 1\n\x1b[31mred\n");
  files_.add("started", SmallRun::model_0, {{"log", "logs/m.log"}});
  files_.write_living_status();
  const Outcome list = run("list out --state running --columns id,training.epochs --sort -id");
  EXPECT_EQ(list.status, 0) << list.output;
  EXPECT_EQ(list.output, "id  training.epochs\n-------------------\n 0                2\n");
  EXPECT_EQ(Json::parse(run("list out --json --where row=NA").output)[0].at("id"), 2);
  EXPECT_EQ(run("list out --csv --columns label --where id=1").output, "label\ndefended seed=1\n");
  EXPECT_EQ(run("list out --csv --json").status, 2);
  const Outcome show = run("show 'defended seed=0' -C out");
  EXPECT_EQ(show.status, 0) << show.output;
  EXPECT_THAT(show.output, HasSubstr("state    running\n"));
  EXPECT_EQ(Json::parse(run("show beef1 --json -C out").output).at("trial"), 1);
  const Outcome logs = run("logs 0 -C out -n 2");
  EXPECT_EQ(logs.status, 0) << logs.output;
  EXPECT_THAT(logs.output, ::testing::EndsWith("<==\nepoch 1\n^[[31mred\n"));
  EXPECT_EQ(run("logs 0 -C out -n 0").status, 2);
  EXPECT_EQ(run("show 9 -C out").status, 2);
  EXPECT_EQ(run("list").status, 2);  // there is no folder results
}

TEST_F(Verbs, LogsFollowAGrowingFile) {
  files_.write_log("m.log", "one\n");
  files_.add("started", SmallRun::model_0, {{"log", "logs/m.log"}});
  files_.write_living_status();
  const auto out = (files_.out() / "followed").string();
  Background follow(command("logs 0 -f -C out > " + out));
  const auto shows = [&](const std::string& text) {
    return wait_until(
        [&] {
          return std::filesystem::exists(out) && read_text(out).find(text) != std::string::npos;
        },
        10);
  };
  EXPECT_TRUE(shows("one\n"));
  std::ofstream(files_.path() / "logs/m.log", std::ios::app) << "two\n";
  EXPECT_TRUE(shows("two\n"));
  files_.add("failed", SmallRun::model_0, {{"final", true}});
  EXPECT_EQ(follow.wait(), 0);
}

TEST_F(Verbs, CancelWritesARequestAndTellsTheAnswer) {
  files_.write_living_status();
  Background cancel(command("cancel 0 1 -C out > " + said() + " 2>&1"));
  const Json asked = answer("6 tasks cancelled");
  EXPECT_EQ(cancel.wait(), 0);
  EXPECT_EQ(asked.at("command"), "cancel");
  EXPECT_EQ(asked.at("tasks"), Json({"beef0000", "e0c", "e0a", "beef1111", "e1c", "e1a"}));
  const std::string text = read_text(said());
  EXPECT_THAT(text, AllOf(HasSubstr("cancel 2 trials: 6 tasks that nothing else needs"),
                          HasSubstr("the run says: 6 tasks cancelled")));
}

TEST_F(Verbs, ARefusalIsAnError) {
  files_.write_living_status();
  Background priority(command("set-priority 1 -7 -C out > " + said() + " 2>&1"));
  const Json asked = answer("refused: it is late");
  EXPECT_EQ(priority.wait(), 2);
  EXPECT_EQ(asked.at("command"), "set-priority");
  EXPECT_EQ(asked.at("priority"), -7);
  EXPECT_EQ(asked.at("tasks").size(), 7U);
}

TEST_F(Verbs, WithoutARunRequestsWaitForTheNextStart) {
  files_.write_status({{"state", "interrupted"}, {"epoch", 1}});
  files_.add("failed", SmallRun::model_0, {{"final", true}});
  const Outcome retry = run("retry --all -C out");
  EXPECT_EQ(retry.status, 0) << retry.output;
  EXPECT_THAT(retry.output, AllOf(HasSubstr("retry 3 tasks"), HasSubstr("no run is active"),
                                  HasSubstr("waits for the next start")));
  EXPECT_EQ(request().at("tasks"), Json({"beef0000", "e0c", "e0a"}));
  EXPECT_EQ(run("retry 1 -C out").status, 2);  // nothing has failed there
  EXPECT_EQ(run("retry -C out").status, 2);
  EXPECT_EQ(run("retry 1 --all -C out").status, 2);
}

TEST_F(Verbs, DrainNeedsARun) {
  files_.write_status({{"state", "finished"}, {"epoch", 1}});
  const Outcome nothing = run("drain out");
  EXPECT_EQ(nothing.status, 2);
  EXPECT_THAT(nothing.output, HasSubstr("there is nothing to drain"));
  EXPECT_FALSE(request_file());
  files_.write_living_status();
  EXPECT_EQ(run("drain out --stop --no-wait").status, 0);
  EXPECT_EQ(request().at("command"), "stop");
  std::filesystem::remove(*request_file());
  const Outcome silent = run("drain out");  // nobody answers
  EXPECT_EQ(silent.status, 75) << silent.output;
  EXPECT_EQ(request().at("command"), "drain");
  EXPECT_THAT(silent.output, HasSubstr("has not answered within 5 s"));
}

TEST_F(Verbs, RequestsAreNotWrittenThroughALink) {
  files_.write_living_status();
  create_folders(files_.out() / "elsewhere");
  std::filesystem::create_directory_symlink(files_.out() / "elsewhere", files_.path() / "control");
  EXPECT_EQ(run("drain out").status, 2);
  EXPECT_TRUE(std::filesystem::is_empty(files_.out() / "elsewhere"));
}

TEST_F(Verbs, HelpHasAnExample) {
  for (const std::string verb :
       {"status", "list", "show", "logs", "cancel", "retry", "drain", "set-priority"}) {
    const Outcome help = run(verb + " --help");
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.output, HasSubstr("  sweep_runner " + verb + " "));
  }
}

TEST_F(Verbs, DamagedPlansEndWithAnError) {
  files_.write_plan("{\"version\": 3, \"tasks\": " + std::string(1'000'000, '['));
  for (const char* verb : {"status out", "list out", "show 0 -C out", "logs 0 -C out",
                           "cancel 0 -C out", "drain out"}) {
    const Outcome outcome = run(verb);
    EXPECT_EQ(outcome.status, 2) << verb;
    EXPECT_THAT(outcome.output, HasSubstr("is damaged")) << verb;
  }
}

}  // namespace
}  // namespace sweep::test_support
