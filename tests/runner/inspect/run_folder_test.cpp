#include "runner/inspect/run_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/runner/inspect/small_run.hpp"
#include "tests/support/message_of.hpp"

namespace sweep::inspect {
namespace {

using test_support::message_of;
using test_support::SmallRun;
using ::testing::HasSubstr;

class FindRun : public ::testing::Test {
 protected:
  std::string refusal(const Where& where) {
    return message_of([&] { find_run(where); });
  }
  std::filesystem::path file(const std::string& name, const std::string& text) {
    write_atomically(run_.out() / name, text);
    return run_.out() / name;
  }
  void add_run(const std::string& name) {
    create_folders(run_.out() / "runs" / name);
    write_atomically(run_.out() / "runs" / name / "plan.json", "{}");
  }

  SmallRun run_;
};

TEST_F(FindRun, ByEveryNameThatAUserMayType) {
  const auto expected = std::filesystem::canonical(run_.path());
  for (const auto& dir : {run_.out(), run_.path(), run_.path() / "plan.json", run_.path() / "",
                          run_.path() / "logs" / ".."})
    EXPECT_EQ(find_run({dir.string()}).path, expected) << dir;
  const auto sweep = file("s.toml", "[sweep]\nname = \"small\"\n");
  const auto found = find_run({sweep.string(), "", run_.out().string()});
  EXPECT_EQ(found.path, expected);
  EXPECT_EQ(found.name, "small");
  EXPECT_EQ(found.store.root(), std::filesystem::canonical(run_.out()));
}

TEST_F(FindRun, ByTheNameThatASweepFileInherits) {
  file("base.toml", "[sweep]\nname = \"small\"\n");
  const auto sweep = file("more.toml", "extends = \"base.toml\"\n");
  EXPECT_EQ(find_run({sweep.string(), "", run_.out().string()}).name, "small");
  const auto loop = file("loop.toml", "extends = \"loop.toml\"\n");
  EXPECT_THAT(refusal({loop.string(), "", run_.out().string()}),
              HasSubstr("sweep.name is missing"));
}

TEST_F(FindRun, ListsTheRunsOfWhichOneIsMeant) {
  add_run("other");
  EXPECT_THAT(refusal({run_.out().string()}),
              HasSubstr("holds 2 runs ('other', 'small'); choose one with --run NAME"));
  EXPECT_EQ(find_run({run_.out().string(), "small"}).name, "small");
  EXPECT_THAT(refusal({run_.out().string(), "smal"}), HasSubstr("did you mean 'small'?"));
}

TEST_F(FindRun, OfSeveralRunsOfOneSweepTheFirstIsMeant) {
  add_run("small@2");
  add_run("small@3");
  const RunFolder first = find_run({run_.out().string()});
  EXPECT_EQ(first.name, "small");
  const auto beside = runs_beside(first);
  ASSERT_EQ(beside.size(), 2u);
  EXPECT_EQ(beside[0].name, "small@2");
  EXPECT_EQ(runs_beside(find_run({run_.out().string(), "small@3"})).size(), 2u);
  add_run("small_too");
  EXPECT_TRUE(runs_beside(find_run({run_.out().string(), "small_too"})).empty());
  EXPECT_THAT(refusal({run_.out().string()}), HasSubstr("choose one with --run NAME"));
}

TEST_F(FindRun, RefusesWhatNamesNoRun) {
  EXPECT_THAT(refusal({(run_.out() / "nothing").string()}), HasSubstr("there is no '"));
  EXPECT_THAT(refusal({(run_.out() / "runs").string()}), HasSubstr("no sweep has run in"));
  EXPECT_THAT(refusal({run_.out().string(), "", "elsewhere"}), HasSubstr("--out says"));
  EXPECT_THAT(refusal({run_.path().string(), "other"}), HasSubstr("is the run 'small'"));
  create_folders(run_.out() / "stray");
  file("stray/plan.json", "{}");
  EXPECT_THAT(refusal({(run_.out() / "stray").string()}), HasSubstr("in a folder 'runs'"));
  const auto sweep = file("s.toml", "[sweep]\nname = \"small\"\n");
  EXPECT_THAT(refusal({sweep.string(), "small"}), HasSubstr("leave one out"));
}

/// A name from a sweep file is looked up among the runs, never joined to a path.
TEST_F(FindRun, NeverLeavesTheOutputFolder) {
  create_folders(run_.out() / "secret");
  file("secret/plan.json", "{}");
  const auto sweep = file("s.toml", "[sweep]\nname = \"../secret\"\n");
  EXPECT_THAT(refusal({sweep.string(), "", run_.out().string()}),
              HasSubstr("there is no run '../secret'"));
  EXPECT_THAT(refusal({run_.out().string(), "../secret"}), HasSubstr("there is no run"));
}

}  // namespace
}  // namespace sweep::inspect
