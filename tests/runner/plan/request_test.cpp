#include "runner/plan/request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/atomic_file.hpp"
#include "runner/plan/record.hpp"
#include "tests/runner/plan/example.hpp"
#include "tests/support/message_of.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::plan {
namespace {

namespace fs = std::filesystem;
using test_support::message_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Files : public ::testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_.path() / name).parent_path());
    write_atomically(folder_.path() / name, text);
    return folder_.path() / name;
  }
  std::string refusal(const Request& request) const {
    return message_of([&] { read_sweep(request); });
  }
  test_support::TemporaryFolder folder_;
};

class CommandLine : public Files {
 protected:
  fs::path file_ = write("example.toml", std::string(kExample) +
                                             "[grid]\n\"defence.lambda_n\" = [0.1, 1]\n"
                                             "training.seed = [0, 1, 2]\n");
  static std::string shown(const Sweep& sweep) {
    std::string text;
    for (const auto& trial : sweep.trials)
      text += trial.defence.at("lambda_n").dump() + "/" + trial.training.at("seed").dump() + " ";
    return text;
  }
};

TEST_F(CommandLine, AxesAreAddedOrReplaced) {
  EXPECT_EQ(shown(read_sweep({.file = file_, .axes = {"training.seed=5"}})), "0.1/5 1.0/5 ");
  EXPECT_EQ(
      shown(read_sweep(
          {.file = file_, .axes = {"training.seed={from=7, to=8, step=1}", "defence.lambda_n=2"}})),
      "2.0/7 2.0/8 ");
  const Sweep more = read_sweep({.file = file_, .axes = {"model.name=resnet18,vgg11"}});
  ASSERT_EQ(more.trials.size(), 12U);
  EXPECT_EQ(more.trials[3].model.at("name"), "vgg11");
  const Sweep lists = read_sweep({.file = file_, .axes = {"training.milestones=[0.5,0.75],[0.9]"}});
  EXPECT_EQ(lists.trials[3].training.at("milestones"), (Json{0.9}));
}

TEST_F(CommandLine, SeedsReachAllTrials) {
  const auto plain = write("plain.toml", kExample);
  EXPECT_EQ(read_sweep({.file = plain, .seeds = "0-2,7"}).trials.size(), 4U);
  EXPECT_EQ(read_sweep({.file = plain, .seeds = "7"}).trials[0].training.at("seed"), 7);
  EXPECT_THAT(
      refusal({.file = file_, .seeds = "0-2"}),
      AllOf(HasSubstr("--seeds 0-2: training.seed is an axis"), HasSubstr("example.toml:20")));
  for (const std::string bad : {"x", "0-", "1,,2", "3-1", "0-9999999", "1.5", ","})
    EXPECT_THAT(refusal({.file = plain, .seeds = bad}), HasSubstr("--seeds " + bad)) << bad;
}

TEST_F(CommandLine, TrialsAreChosen) {
  EXPECT_EQ(shown(read_sweep({.file = file_, .only = {"training.seed=0,2"}})),
            "0.1/0 0.1/2 1.0/0 1.0/2 ");
  EXPECT_EQ(
      shown(read_sweep({.file = file_, .only = {"training.seed={min=1}", "defence.lambda_n=0.1"}})),
      "0.1/1 0.1/2 ");
  EXPECT_EQ(
      shown(read_sweep({.file = file_, .exclude = {"training.seed=0,2", "defence.lambda_n=1.0"}})),
      "0.1/1 ");
  const Sweep first = read_sweep({.file = file_, .exclude = {"training.seed=0"}, .max_trials = 3});
  EXPECT_EQ(shown(first), "0.1/1 0.1/2 1.0/1 ");
  EXPECT_THAT(first.notes, ElementsAre("--only, --exclude: 4 of 6 trials",
                                       "--max-trials: the first 3 of 4 trials"));
  EXPECT_TRUE(read_sweep({.file = file_, .max_trials = 6}).notes.empty());
}

TEST_F(CommandLine, RowsWithoutTrialsAreLeftOut) {
  const auto file = write("rows.toml", std::string(kExample) +
                                           "[grid]\n\"training.seed\" = [0, 1, 2]\n"
                                           "[[table.row]]\nlabel = \"a\"\n"
                                           "where = {\"training.seed\" = 0}\n"
                                           "[[table.row]]\nlabel = \"b\"\n"
                                           "where = {\"training.seed\" = [1, 2]}\n"
                                           "[[priority]]\nwhere = {\"training.seed\" = 2}\n"
                                           "value = 9\n");
  const Sweep sweep = read_sweep({.file = file, .exclude = {"training.seed=0"}});
  ASSERT_EQ(sweep.table.rows.size(), 1U);
  EXPECT_EQ(sweep.table.rows[0].label, "b");
  EXPECT_THAT(sweep.table.rows[0].trials, ElementsAre(0U, 1U));
  EXPECT_THAT(trial_priorities(sweep), ElementsAre(0, 9));
  const Graph graph = example_graph(sweep);
  EXPECT_EQ(plan_record(sweep, graph, "rows.toml").at("table").at("rows")[0].at("trials").size(),
            2U);
  EXPECT_TRUE(read_sweep({.file = file, .only = {"training.seed=1"}}).priorities.empty());
}

TEST_F(CommandLine, MistakesNameTheOption) {
  EXPECT_THAT(refusal({.file = file_, .only = {"training.sed=0"}}),
              AllOf(HasSubstr("--only training.sed=0"), HasSubstr("did you mean 'training.seed'")));
  EXPECT_THAT(refusal({.file = file_, .only = {"training.seed=9"}}), HasSubstr("leave nothing"));
  EXPECT_THAT(refusal({.file = file_, .exclude = {"training.seed=9"}}), HasSubstr("do nothing"));
  EXPECT_THAT(refusal({.file = file_, .exclude = {"training.seed=0,1,2"}}), HasSubstr("no trial"));
  EXPECT_THAT(refusal({.file = file_, .exclude = {"training.seed"}}),
              HasSubstr("--exclude training.seed is no assignment"));
  EXPECT_THAT(refusal({.file = file_, .axes = {"training.seed=1,,2"}}), HasSubstr("empty"));
  EXPECT_THAT(refusal({.file = file_, .axes = {"training.lr=0.1"}}),
              AllOf(HasSubstr("--axis training.lr=0.1"), HasSubstr("unknown key training.lr")));
  EXPECT_THAT(refusal({.file = file_, .axes = {"training.epochs=1,x"}}),
              AllOf(HasSubstr("--axis training.epochs=1,x"), HasSubstr("wrong type")));
}

class Extends : public Files {};

TEST_F(Extends, TablesAreMergedAndTheRestIsReplaced) {
  write("base.toml", std::string(kExample) +
                         "[grid]\n\"training.seed\" = {from = 0, to = 3, step = 1}\n"
                         "[[include]]\n\"training.epochs\" = 9\n");
  write("sub/middle.toml", "extends = '../base.toml'\n[training]\nbatch_size = 8\n");
  const auto top = write("sub/top.toml",
                         "extends = 'middle.toml'\ninclude = []\n[sweep]\nname = 'top'\n"
                         "[training]\nepochs = 2\n[grid]\n"
                         "\"training.seed\" = {from = 5, to = 6, num = 2}\n");
  const Sweep sweep = read_sweep({.file = top});
  EXPECT_EQ(sweep.name, "top");
  ASSERT_EQ(sweep.trials.size(), 2U);
  EXPECT_EQ(sweep.trials[1].training.at("seed"), 6);
  EXPECT_EQ(sweep.trials[1].training.at("epochs"), 2);
  EXPECT_EQ(sweep.trials[1].training.at("batch_size"), 8);
}

TEST_F(Extends, AnotherPluginBeginsAfresh) {
  write("base.toml", kExample);
  const auto top = write("top.toml",
                         "extends = 'base.toml'\n[defence]\nname = 'none'\n"
                         "[attacks.fgsm]\nmethod = 'pgd'\nepsilon = 0.1\nalpha = 0.1\nsteps = 2\n");
  EXPECT_EQ(read_sweep({.file = top}).trials[0].defence, (Json{{"name", "none"}}));
}

TEST_F(Extends, MistakesNameTheFileThatTheyAreIn) {
  write("base.toml", std::string(kExample) + "[table]\ntitel = 'x'\n");
  const auto top = write("top.toml", "extends = 'base.toml'\n[training]\nepochs = 0\n");
  EXPECT_THAT(refusal({.file = top}), HasSubstr("top.toml:3:1: training.epochs = 0"));
  EXPECT_THAT(refusal({.file = top, .overrides = {"training.epochs=1"}}),
              HasSubstr("base.toml:19:1: unknown key table.titel"));
}

TEST_F(Extends, CirclesDepthAndMissingFilesAreRefused) {
  write("a.toml", "extends = 'b.toml'\n");
  write("b.toml", "extends = './a.toml'\n");
  EXPECT_THAT(refusal({.file = folder_.path() / "a.toml"}),
              HasSubstr("b.toml:1:1: extends leads back"));
  for (int i = 0; i < 40; ++i)
    write("d" + std::to_string(i) + ".toml", "extends = 'd" + std::to_string(i + 1) + ".toml'\n");
  write("d40.toml", kExample);
  EXPECT_THAT(refusal({.file = folder_.path() / "d0.toml"}), HasSubstr("more than 16 files"));
  EXPECT_EQ(read_sweep({.file = folder_.path() / "d30.toml"}).trials.size(), 1U);
  EXPECT_THAT(refusal({.file = write("e.toml", "extends = 'none.toml'\n")}),
              AllOf(HasSubstr("e.toml:1:1"), HasSubstr("is no file")));
  EXPECT_THAT(refusal({.file = write("f.toml", "extends = ['a.toml']\n")}),
              HasSubstr("is no path"));
}

}  // namespace
}  // namespace sweep::plan
