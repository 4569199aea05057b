// What docs/security.md promises, tried: names, links, modes, requests, journals and executors of
// somebody who means no good.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <sstream>

#include "tests/end_to_end/noop_sweep.hpp"
#include "tests/end_to_end/same_results.hpp"

namespace sweep::test_support {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

#ifdef __SANITIZE_ADDRESS__
constexpr char kLimitedMemory[] = "";  // the sanitizer reserves terabytes of its own
#else
constexpr char kLimitedMemory[] = "ulimit -d 700000; ";  // kB
#endif

/// Everything in a folder by its path there; links are not followed.
std::map<std::string, fs::file_status> entries(const fs::path& folder) {
  std::map<std::string, fs::file_status> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    found[entry.path().lexically_relative(folder)] = entry.symlink_status();
  return found;
}

class Security : public ::testing::Test {
 protected:
  Outcome run(const std::string& more = "> /dev/null") const {
    return run_shell(sweep_.command(more));
  }
  void write(const fs::path& path, const std::string& text) const {
    create_folders(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }

  const NoopSweep sweep_{3};
  const TemporaryFolder elsewhere_;
};

class HostileName : public Security, public ::testing::WithParamInterface<const char*> {};

TEST_P(HostileName, OfASweepIsRefused) {
  const Outcome outcome = run(concat("--set 'sweep.name=", GetParam(), "'"));
  EXPECT_EQ(outcome.status, 2) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("sweep.name"));
  EXPECT_FALSE(fs::exists(sweep_.out()));
}

TEST_P(HostileName, OfAPluginIsRefused) {
  for (const char* key : {"dataset.name", "model.name", "defence.name"}) {
    const Outcome outcome = run(concat("--set '", key, "=", GetParam(), "'"));
    EXPECT_EQ(outcome.status, 2) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr(key));
    EXPECT_FALSE(fs::exists(sweep_.out()));
  }
}

TEST_P(HostileName, OfWhatTheUserNamesHimselfStaysText) {
  const std::string key = concat("attacks.\"", GetParam(), "\"");
  const Outcome outcome = run(concat("--set '", key, ".method=fgsm' --set '", key,
                                     ".epsilon=0.1' --set 'sweep.description=", GetParam(),
                                     "' --set 'table.title=", GetParam(), "'"));
  EXPECT_TRUE(outcome.status == 0 || outcome.status == 2) << outcome.output;
  const auto folder = sweep_.out().parent_path();
  for (const auto& [name, status] : entries(folder)) {
    EXPECT_TRUE(name == "noop.toml" || name.starts_with("out")) << name;
    EXPECT_EQ(name.find_first_of(";$` '\""), std::string::npos) << name;
  }
  EXPECT_FALSE(fs::exists("pwned"));
}

INSTANTIATE_TEST_SUITE_P(All, HostileName,
                         ::testing::Values("../../x; rm", "..", "/etc/x", "$(touch pwned)",
                                           "`touch pwned`", "a/b"));

/// Places in the output folder that a run writes to; here each leads out of it.
class LinkInStore : public Security, public ::testing::WithParamInterface<const char*> {};

TEST_P(LinkInStore, IsNotFollowed) {
  ASSERT_EQ(run().status, 0);
  const fs::path place = sweep_.out() / GetParam(), target = elsewhere_ / "target";
  if (fs::exists(place)) {
    fs::rename(place, target);
  } else {
    create_folders(target);
  }
  fs::create_symlink(target, place);
  const bool is_file = fs::is_regular_file(target);
  if (is_file) write(target, "mine, without an end of line");
  const auto before = entries(elsewhere_.path());
  const Outcome outcome = run("--retry-failed");
  EXPECT_EQ(outcome.status, 2) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr(place.string()));
  EXPECT_EQ(entries(elsewhere_.path()).size(), before.size());
  if (is_file) {
    EXPECT_EQ(read_text(target), "mine, without an end of line");
  }
}

INSTANTIATE_TEST_SUITE_P(All, LinkInStore,
                         ::testing::Values("artifacts", "artifacts/model", "artifacts/evaluation",
                                           "checkpoints", "damaged", "runs", "runs/noop",
                                           "runs/noop/logs", "runs/noop/control",
                                           "runs/noop/tensorboard", "runs/noop/plan.json",
                                           "runs/noop/journal.jsonl", "runs/noop/status.json",
                                           "runs/noop/lock", "members", "members/lock", "claims",
                                           "lock"));

TEST_F(Security, ALinkInPlaceOfAnArtifactIsMadeAnew) {
  ASSERT_EQ(run().status, 0);
  const fs::path artifact = artifacts_of(sweep_.out()).lower_bound("model/")->second;
  const fs::path target = elsewhere_ / "target";
  fs::rename(artifact, target);
  const std::string before = read_text(target);
  fs::create_symlink(target, artifact);
  EXPECT_EQ(run().status, 0);
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(artifact)));
  EXPECT_EQ(read_text(target), before);
}

TEST_F(Security, TheOutputFolderItselfMayBeALink) {
  fs::create_directory_symlink(elsewhere_.path(), sweep_.out());
  EXPECT_EQ(run().status, 0);
  EXPECT_TRUE(fs::exists(elsewhere_ / "artifacts"));
}

TEST_F(Security, WhatIsMadeHasNoMoreRightsThanTheUmaskLeaves) {
  for (const int mask : {022, 027, 077}) {
    std::error_code ignored;
    fs::remove_all(sweep_.out(), ignored);
    std::ostringstream octal;
    octal << std::oct << mask;
    ASSERT_EQ(run_shell(concat("umask ", octal.str(), "; ", sweep_.command("> /dev/null"))).status,
              0);
    for (const auto& [name, status] : entries(sweep_.out())) {
      const auto bits = static_cast<int>(status.permissions());
      EXPECT_EQ(bits & mask, 0) << name << std::oct << " " << bits;
      EXPECT_EQ(bits & 022, 0) << name;
      if (fs::is_regular_file(status)) {
        EXPECT_EQ(bits & 0111, 0) << name << " can be executed";
      }
    }
  }
}

TEST_F(Security, RequestsThatAreNoneDoNothing) {
  const fs::path control = sweep_.run_folder() / "control";
  const std::string deep(2'000'000, '[');
  write(control / "1.json", R"({"command": "cancel", "tasks": ["../../x", "/etc/passwd", ""]})");
  write(control / "2.json", R"({"command": "cancel", "tasks": )" + deep);
  write(control / "3.json",
        R"({"command": "cancel", "tasks": )" + deep + std::string(deep.size(), ']') + "}");
  write(control / "4.json", R"({"command": "set-priority", "priority": -9223372036854775808})");
  write(control / "5.json", R"({"command": "set-priority", "priority": 18446744073709551615})");
  write(control / "6.json", R"({"command": "drain; rm -r /", "tasks": []})");
  write(control / "7.json", R"({"command": ["drain"]})");
  write(control / "8.json", std::string("\xff\xfe\0\0", 4));
  fs::create_symlink("/etc/hostname", control / "9.json");
  const Outcome outcome = run("2>&1");
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("is no request"));
  EXPECT_EQ(entries(control).size(), 1u) << "but for the link, which is left alone";
}

TEST_F(Security, APlanThatMakesNoSenseIsWrittenAnew) {
  const fs::path plan = sweep_.run_folder() / "plan.json";
  const std::string deep(1'000'000, '[');
  for (const std::string& text :
       {std::string(R"({"table": {"rows": 5}})"), std::string(R"({"table": 5, "resolved": [1]})"),
        std::string(R"({"resolved": {"trials": 7}, "table": {"rows": [{"label": 3}]}})"),
        concat(R"({"table": )", deep, std::string(deep.size(), ']'), "}"), std::string("[]"),
        std::string()}) {
    write(plan, text);
    const Outcome outcome = run("2>&1");
    EXPECT_EQ(outcome.status, 0) << text.substr(0, 60) << outcome.output;
    EXPECT_TRUE(Json::parse(read_text(plan)).contains("tasks"));
  }
}

TEST_F(Security, AJournalWithALineOfAGigabyteTakesNoMemory) {
  ASSERT_EQ(run().status, 0);
  const fs::path journal = sweep_.run_folder() / "journal.jsonl";
  const std::string end = read_text(journal);
  fs::resize_file(journal, fs::file_size(journal) + (std::uintmax_t{1} << 30));  // zeros
  std::ofstream(journal, std::ios::app) << "\n" << end << "{\"event\": \"torn";
  fs::remove(artifacts_of(sweep_.out()).lower_bound("model/")->second);
  const std::string limited = kLimitedMemory;
  const Outcome outcome = run_shell(limited + sweep_.command("2>&1"));
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  const Outcome status = run_shell(concat(limited, (binaries() / "sweep_runner").string(),
                                          " status --dir ", sweep_.out().string()));
  EXPECT_EQ(status.status, 0) << status.output;
}

/// What an executor says when it has a task, as the argument of printf.
class HostileExecutor : public Security, public ::testing::WithParamInterface<const char*> {};

TEST_P(HostileExecutor, CostsAttemptsAndNothingElse) {
  const fs::path script = elsewhere_ / "executor";
  write(script, concat("#!/bin/sh\nhead -c 1 <&3 > /dev/null\nprintf '", GetParam(),
                       "' >&3\nexec sleep 60\n"));
  fs::permissions(script, fs::perms::owner_all);
  std::string command = sweep_.command("2>&1");
  const std::string noop = (binaries() / "../tests/noop_executor").string();
  command.replace(command.find(noop), noop.size(), script.string());
  const Outcome outcome = run_shell(command);
  EXPECT_EQ(outcome.status, 2) << outcome.output << "the dataset can't be made";
  const auto failed = events(sweep_.journal(), "failed");
  ASSERT_FALSE(failed.empty());
  EXPECT_EQ(failed.front().at("failure"), "crash");
  EXPECT_EQ(events(sweep_.journal(), "end").size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(
    All, HostileExecutor,
    ::testing::Values(R"(no JSON\n)", R"({"type":5}\n)", R"({"type":"failed"}\n)",
                      R"({"type":"failed","failure":"no such","message":"m"}\n)",
                      R"({"type":"failed","failure":"crash","message":{}}\n)",
                      R"({"type":"progress","fraction":"much","text":"t"}\n)",
                      R"({"type":"epoch","epoch":1,"step":1,"metrics":[1]}\n)", R"([1]\n)",
                      R"({"type":"exit","code":0}\n)"));

}  // namespace
}  // namespace sweep::test_support
