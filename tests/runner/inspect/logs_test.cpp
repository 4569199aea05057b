#include "runner/inspect/logs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/runner/inspect/small_run.hpp"
#include "tests/support/message_of.hpp"

namespace sweep::inspect {
namespace {

using test_support::message_of;
using test_support::SmallRun;
using ::testing::HasSubstr;

std::string shown(std::string_view text) {
  return TerminalText().add(text);
}

TEST(TerminalText, KeepsWhatIsHarmless) {
  EXPECT_EQ(shown("epoch 1\tloss 0.5\nlänger €\n"), "epoch 1\tloss 0.5\nlänger €\n");
}

TEST(TerminalText, ShowsWhatWouldSteerTheTerminal) {
  EXPECT_EQ(shown("\x1b[2J\x07\x7f\b"), "^[[2J^G^?^H");
  EXPECT_EQ(shown("\xc2\x9b"
                  "2J"),
            "?2J");  // CSI in one letter
  EXPECT_EQ(shown(std::string_view("a\0b", 3)), "a^@b");
}

TEST(TerminalText, PutsEveryStepOfAProgressBarOnALine) {
  EXPECT_EQ(shown("10 %\r20 %\r\nend\n"), "10 %\n20 %\nend\n");
}

TEST(TerminalText, ReplacesWhatIsNoText) {
  EXPECT_EQ(shown("a\xff\xc0"
                  "b\xe2\x82"
                  "c\x80"),
            "a??b??c?");
}

TEST(TerminalText, WaitsForTheRestOfALetter) {
  const std::string text = "1 € \xf0\x9f\x90\xa2\r\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    TerminalText terminal;
    std::string shown_text = terminal.add(text.substr(0, cut));
    shown_text += terminal.add(text.substr(cut));
    EXPECT_EQ(shown_text, "1 € \xf0\x9f\x90\xa2\n") << cut;
  }
}

class Logs : public ::testing::Test {
 protected:
  Logs() {
    files_.add_run();
    files_.make(SmallRun::dataset);
  }
  /// Starts an attempt of the task, whose log is "TASK.ATTEMPT.log".
  void start(SmallRun::Task task, int attempt, const std::string& text) {
    const std::string log = concat(SmallRun::hash(task), ".", attempt, ".log");
    files_.write_log(log, text);
    files_.add("started", task, {{"attempt", attempt}, {"log", "/elsewhere/logs/" + log}});
  }
  std::string printed(LogRequest request = {}, std::size_t trial = 0) {
    RunView run = files_.view();
    std::string text;
    LogPrinter(run, trial, std::move(request), [&](const std::string& piece) {
      text += piece;
    }).print();
    return text;
  }
  void append(const std::string& log, const std::string& text) {
    std::ofstream(files_.path() / "logs" / log, std::ios::app) << text;
  }
  std::string refusal(LogRequest request = {}) {
    return message_of([&] { printed(std::move(request)); });
  }

  SmallRun files_;
};

TEST_F(Logs, ShowsWhatRunsElseWhatHasFailedElseTheLast) {
  EXPECT_THAT(refusal(), HasSubstr("trial 0 has no log"));
  start(SmallRun::model_0, 1, "first\n");
  EXPECT_THAT(printed(), HasSubstr("==> train defended seed=0, attempt 1, running: "));
  EXPECT_THAT(printed(), ::testing::EndsWith(" <==\nfirst\n"));
  files_.add("failed", SmallRun::model_0, {{"final", false}});
  start(SmallRun::model_0, 2, "second\n");
  EXPECT_THAT(printed(), HasSubstr("second"));
  EXPECT_THAT(printed({.attempt = 1}), HasSubstr("first"));
  EXPECT_THAT(refusal({.attempt = 3}), HasSubstr("of attempt 3"));
  files_.add("done", SmallRun::model_0);
  files_.make(SmallRun::model_0);
  start(SmallRun::clean_0, 1, "clean\n");
  files_.add("failed", SmallRun::clean_0, {{"final", true}});
  start(SmallRun::attacked_0, 1, "attacked\n");
  files_.add("done", SmallRun::attacked_0);
  EXPECT_THAT(printed(), HasSubstr("clean"));
  EXPECT_THAT(printed({.kind = "model"}), HasSubstr("second"));
  EXPECT_THAT(refusal({.kind = "modell"}), HasSubstr("did you mean 'model'?"));
}

TEST_F(Logs, ShowsTheLastLines) {
  const auto last = [&](const std::string& text, std::size_t lines) {
    start(SmallRun::model_0, 1, text);
    const std::string all = printed({.lines = lines});
    return all.substr(all.find("<==\n") + 4);
  };
  EXPECT_EQ(last("1\n2\n3\n", 2), "2\n3\n");
  EXPECT_EQ(last("1\n2\n3", 2), "2\n3");
  EXPECT_EQ(last("1\n2\n", 7), "1\n2\n");
  EXPECT_EQ(last("\n\n\n", 2), "\n\n");
  EXPECT_EQ(last("", 2), "");
  const std::string block(70'000, 'x');
  EXPECT_EQ(last("1\n" + block + "\n3\n", 2), block + "\n3\n");
}

TEST_F(Logs, TakesTheUsualNameWhereTheJournalHasNone) {
  files_.add("started", SmallRun::model_0, {{"attempt", 2}});
  files_.write_log("model-beef0000.1.2.log", "usual\n");
  EXPECT_THAT(printed(), HasSubstr("usual"));
}

/// The journal may say anything: only files of the folder itself are read.
TEST_F(Logs, NeverLeavesTheFolder) {
  write_atomically(files_.path() / "secret", "secret\n");
  const auto log_of = [&](const std::string& name) {
    files_.add("started", SmallRun::model_0, {{"log", name}});
    return refusal();
  };
  for (const char* name : {"../secret", "/etc/passwd", "logs/..", "..", "logs/", "."})
    EXPECT_THAT(log_of(name), HasSubstr("there is no log")) << name;
  std::filesystem::create_symlink(files_.path() / "secret", files_.path() / "logs/link.log");
  EXPECT_THAT(log_of("link.log"), HasSubstr("it is no file of the folder itself"));
  ASSERT_EQ(::mkfifo((files_.path() / "logs/pipe.log").c_str(), 0600), 0);
  EXPECT_THAT(log_of("pipe.log"), HasSubstr("it is no file of the folder itself"));
  std::filesystem::rename(files_.path() / "logs", files_.path() / "moved");
  std::filesystem::create_directory_symlink(files_.path() / "moved", files_.path() / "logs");
  write_atomically(files_.path() / "moved/a.log", "elsewhere\n");
  EXPECT_THAT(log_of("a.log"), HasSubstr("there is no log"));
}

/// Everything that happens stands between two looks of the follower.
TEST_F(Logs, FollowsFromAttemptToAttempt) {
  files_.write_living_status();
  std::vector<std::function<void()>> steps{
      [&] { start(SmallRun::model_0, 1, "one\n"); }, [&] { append("beef0000.1.log", "two\n"); },
      [&] {
        append("beef0000.1.log", "three\n");
        files_.add("failed", SmallRun::model_0, {{"final", false}});
      },
      [&] {
        start(SmallRun::model_0, 2, "again\n");
        files_.add("done", SmallRun::model_0);
        files_.make(SmallRun::model_0);
        start(SmallRun::clean_0, 1, "clean\n");
        files_.add("done", SmallRun::clean_0);
        files_.make(SmallRun::clean_0);
        start(SmallRun::attacked_0, 1, "attacked\n");
      },
      [&] {
        append("e0a.1.log", "last\n");
        files_.add("done", SmallRun::attacked_0);
        files_.make(SmallRun::attacked_0);
      }};
  RunView run = files_.view();
  std::string text;
  std::size_t step = 0;
  LogPrinter(run, 0, {}, [&](const std::string& piece) { text += piece; }).follow([&] {
    if (step == steps.size()) return false;
    steps[step++]();
    return true;
  });
  EXPECT_EQ(step, steps.size());
  std::string lines;
  for (const auto& line : split(text, '\n'))
    if (!line.starts_with("==>")) lines += line + " ";
  EXPECT_EQ(lines, "one two three again clean attacked last  ");
}

TEST_F(Logs, StopsWhenTheRunEnds) {
  files_.write_living_status();
  start(SmallRun::model_0, 1, "one\n");
  RunView run = files_.view();
  std::string text;
  int looks = 0;
  LogPrinter(run, 0, {}, [&](const std::string& piece) { text += piece; }).follow([&] {
    if (++looks > 1) return false;
    append("beef0000.1.log", "saved\n");
    files_.add("stopped", SmallRun::model_0);
    files_.write_status({{"state", "interrupted"}, {"epoch", 1}});
    return true;
  });
  EXPECT_EQ(looks, 1);
  EXPECT_THAT(text, ::testing::EndsWith("one\nsaved\n"));
}

}  // namespace
}  // namespace sweep::inspect
