#include "runner/plan/grid.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runner/plan/range.hpp"
#include "tests/runner/plan/example.hpp"
#include "tests/support/message_of.hpp"

namespace sweep::plan {
namespace {

using test_support::message_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The values of a key in the order of the trials.
std::vector<Json> values(const std::string& more, const std::string& key) {
  std::vector<Json> found;
  for (const auto& trial : example(more).trials) found.push_back(*trial.find(key));
  return found;
}

Json range(const std::string& text) {
  const Document document = parse_toml("r = " + text, "r.toml");
  return range_values(document, document.root.at("r"), "r");
}

/// As a user reads them: 0.3 is no 0.30000000000000004.
std::string shown(const std::string& text) {
  return range(text).dump();
}

TEST(Range, CountsAsPeopleDo) {
  EXPECT_EQ(shown("{from = 0.1, to = 0.7, step = 0.1}"), "[0.1,0.2,0.3,0.4,0.5,0.6,0.7]");
  EXPECT_EQ(shown("{from = 0.3, to = -0.1, step = -0.2}"), "[0.3,0.1,-0.1]");
  EXPECT_EQ(shown("{from = 1e-5, to = 3e-5, step = 1e-5}"), "[1e-05,2e-05,3e-05]");
  EXPECT_EQ(shown("{from = 0, to = 1, num = 11}"), "[0.0,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1.0]");
  EXPECT_EQ(range("{from = '1/255', to = '4/255', step = '1/255'}"),
            (Json{1.0 / 255, 2.0 / 255, 3.0 / 255, 4.0 / 255}));
}

TEST(Range, IntegersStayIntegers) {
  EXPECT_EQ(shown("{from = 0, to = 6, step = 2}"), "[0,2,4,6]");
  EXPECT_EQ(shown("{from = 4, to = 0, num = 3}"), "[4,2,0]");
  EXPECT_EQ(shown("{from = 1, to = 2, num = 3}"), "[1.0,1.5,2.0]");
  EXPECT_EQ(shown("{from = 0.0, to = 2, step = 1}"), "[0.0,1.0,2.0]");
  EXPECT_EQ(shown("{from = 7, to = 7, step = 1}"), "[7]");
}

TEST(Range, LogScaleHasEqualRatios) {
  EXPECT_EQ(shown("{from = 1e-4, to = 0.1, num = 4, scale = 'log'}"), "[0.0001,0.001,0.01,0.1]");
  EXPECT_EQ(shown("{from = 1, to = 1000, num = 4, scale = 'log'}"), "[1,10,100,1000]");
  EXPECT_EQ(shown("{from = 1, to = 100, num = 5, scale = 'log'}"),
            "[1.0,3.16227766017,10.0,31.6227766017,100.0]");
}

TEST(Range, RefusesWhatHasNoValuesOrTooMany) {
  const auto refused = [](const std::string& text) { return message_of([&] { range(text); }); };
  EXPECT_THAT(
      refused("{from = 0, to = 1, step = 0.3}"),
      AllOf(HasSubstr("r.toml:1:"), HasSubstr("r.to = 1 is not reached"), HasSubstr("0.9")));
  EXPECT_THAT(refused("{from = 0, to = 1, step = -0.1}"), HasSubstr("does not lead from 0 to 1"));
  EXPECT_THAT(refused("{from = 0, to = 1, step = 0}"), HasSubstr("does not lead"));
  EXPECT_THAT(refused("{from = 0, to = 1, step = 1e-9}"), HasSubstr("more than 100000"));
  EXPECT_THAT(refused("{from = 0, to = 1, num = 9000000000}"), HasSubstr("r.num"));
  EXPECT_THAT(refused("{from = 0, to = 1e300, step = 1e-300}"), HasSubstr("more digits"));
  EXPECT_THAT(refused("{from = '1/inf', to = 1, step = 1}"), HasSubstr("more digits"));
  EXPECT_THAT(refused("{from = 0, to = inf, step = 1}"), HasSubstr("r.to = "));
  EXPECT_THAT(refused("{from = -9223372036854775807, to = 1, step = 1}"), HasSubstr("more digits"));
  EXPECT_THAT(refused("{from = 0, to = 1, num = 3, scale = 'log'}"), HasSubstr("above 0"));
  EXPECT_THAT(refused("{from = 1, to = 2, step = 1, scale = 'log'}"), HasSubstr("contradict"));
  EXPECT_THAT(refused("{from = 1, to = 2, step = 1, num = 2}"), HasSubstr("either step or num"));
  EXPECT_THAT(refused("{from = 1, to = 2}"), HasSubstr("either step or num"));
  EXPECT_THAT(refused("{to = 2, num = 2}"), HasSubstr("without from"));
  EXPECT_THAT(refused("{from = 1, to = 2, stp = 1}"), HasSubstr("did you mean 'step'"));
}

TEST(Grid, TakesRangesInEveryForm) {
  EXPECT_THAT(values("[grid]\n\"training.seed\" = {from = 3, to = 5, step = 1}\n", "training.seed"),
              ElementsAre(3, 4, 5));
  EXPECT_THAT(values("[grid.training]\nseed = {from = 3, to = 5, num = 3}\n", "training.seed"),
              ElementsAre(3, 4, 5));
  EXPECT_THAT(
      values("[[include]]\ndefence.lambda_n = {from = 0.1, to = 10, num = 3, scale = 'log'}\n",
             "defence.lambda_n"),
      ElementsAre(0.1, 1.0, 10.0));
}

TEST(Grid, ZippedAxesChangeTogether) {
  const std::string zip =
      "[grid]\n\"training.seed\" = [0, 1]\n"
      "[[zip]]\n\"defence.lambda_n\" = [1, 2]\n\"defence.lambda_a\" = [3, 4]\n"
      "[[zip]]\n\"training.epochs\" = {from = 5, to = 6, step = 1}\n";
  EXPECT_THAT(values(zip, "training.seed"), ElementsAre(0, 0, 0, 0, 1, 1, 1, 1));
  EXPECT_THAT(values(zip, "defence.lambda_n"), ElementsAre(1, 1, 2, 2, 1, 1, 2, 2));
  EXPECT_THAT(values(zip, "defence.lambda_a"), ElementsAre(3, 3, 4, 4, 3, 3, 4, 4));
  EXPECT_THAT(values(zip, "training.epochs"), ElementsAre(5, 6, 5, 6, 5, 6, 5, 6));
  EXPECT_THAT(refusal("[[zip]]\n\"defence.lambda_n\" = [1, 2]\n\"training.seed\" = [3]\n"),
              AllOf(HasSubstr("example.toml:20"), HasSubstr("zip[0].training.seed has 1 values"),
                    HasSubstr("zip[0].defence.lambda_n has 2")));
}

TEST(Grid, SeedsAreAnAxisOverEverything) {
  const std::string grid =
      "[grid]\n\"defence.lambda_n\" = [1, 2]\n[[include]]\ndefence.name = \"none\"\n";
  const Sweep sweep = example(grid, {"sweep.seeds=[4, 5]"});
  ASSERT_EQ(sweep.trials.size(), 6U);
  EXPECT_EQ(sweep.trials[1].training.at("seed"), 5);
  EXPECT_EQ(sweep.trials[5].training.at("seed"), 5);
  EXPECT_EQ(sweep.trials[5].defence.at("name"), "none");
  EXPECT_EQ(example("", {"sweep.seeds={from=0, to=9, step=1}"}).trials.size(), 10U);
  EXPECT_THAT(
      message_of([&] { example("[[include]]\n\"training.seed\" = 7\n", {"sweep.seeds=[4]"}); }),
      AllOf(HasSubstr("training.seed is an axis at"), HasSubstr("--set sweep.seeds=[4]")));
  EXPECT_THAT(message_of([&] { example("", {"sweep.seeds=3"}); }), HasSubstr("sweep.seeds = 3"));
}

TEST(Grid, RefusesAnAxisThatIsThereTwice) {
  EXPECT_THAT(refusal("[grid]\n\"training.seed\" = [0, 1]\n[[zip]]\n\"training.seed\" = [2, 3]\n"),
              AllOf(HasSubstr("example.toml:21"), HasSubstr("example.toml:19")));
}

TEST(Grid, RefusesMoreTrialsThanMemoryHolds) {
  const std::string many = " = {from = 0, to = 99999, step = 1}\n";
  EXPECT_THAT(refusal("[grid]\n\"training.seed\"" + many + "\"defence.lambda_n\"" + many +
                      "\"defence.lambda_a\"" + many),
              HasSubstr("more than 100000 trials"));
}

TEST(Exclude, DropsTrialsThatMeetAllConditions) {
  const std::string grid =
      "[grid]\n\"defence.lambda_n\" = [0.1, 1, 10]\n\"training.seed\" = [0, 1]\n[[exclude]]\n";
  const auto left = [&](const std::string& conditions) {
    std::string text;
    for (const auto& trial : example(grid + conditions).trials)
      text += trial.defence.at("lambda_n").dump() + "/" + trial.training.at("seed").dump() + " ";
    return text;
  };
  EXPECT_EQ(left("\"defence.lambda_n\" = 1\n\"training.seed\" = 0\n"),
            "0.1/0 0.1/1 1.0/1 10.0/0 10.0/1 ");
  EXPECT_EQ(left("\"defence.lambda_n\" = [0.1, 10]\n"), "1.0/0 1.0/1 ");
  EXPECT_EQ(left("\"defence.lambda_n\" = {min = \"1/2\"}\n"), "0.1/0 0.1/1 ");
  EXPECT_EQ(left("defence.lambda_n = {min = 1, max = 9}\n"), "0.1/0 0.1/1 10.0/0 10.0/1 ");
  EXPECT_EQ(left("\"defence.lambda_n\" = {not = [1, 10]}\n"), "1.0/0 1.0/1 10.0/0 10.0/1 ");
  EXPECT_EQ(left("\"training.milestones\" = [0.5, 0.75]\n\"training.seed\" = 1\n"),
            "0.1/0 1.0/0 10.0/0 ");
}

TEST(Exclude, RefusesMistakes) {
  const std::string grid = "[grid]\n\"training.seed\" = [0, 1]\n[[exclude]]\n";
  EXPECT_THAT(refusal(grid + "\"training.seed\" = 7\n"),
              AllOf(HasSubstr("example.toml:20"), HasSubstr("exclude[0] matches no trial")));
  EXPECT_THAT(refusal(grid + "\"training.sed\" = 0\n"), HasSubstr("did you mean 'training.seed'"));
  EXPECT_THAT(refusal(grid + "\"training.seed\" = [0, 1]\n"), HasSubstr("leaves no trial"));
  EXPECT_THAT(refusal(grid + "\"training.seed\" = {min = 2, max = 1}\n"), HasSubstr("min above"));
  EXPECT_THAT(refusal(grid + "\"training.seed\" = {min = 'x'}\n"), HasSubstr("is no number"));
  EXPECT_THAT(refusal(grid + "\"training.seed\" = {min = 0, mx = 1}\n"),
              HasSubstr("did you mean 'max'"));
  EXPECT_THAT(refusal(grid), HasSubstr("exclude[0] is empty"));
  for (const std::string list : {"zip", "include", "exclude", "priority"})
    for (const std::string bad : {"3", "[3]"})
      EXPECT_THAT(message_of([&] { example("", {list + "=" + bad}); }), HasSubstr(list)) << list;
}

TEST(Priority, IsTheHighestOfTheTrialsThatNeedATask) {
  const std::string file =
      "[grid]\n\"training.seed\" = [0, 1, 2]\n"
      "[[priority]]\nwhere = {\"training.seed\" = [1, 2]}\nvalue = 5\n"
      "[[priority]]\nwhere = {\"training.seed\" = 2}\nvalue = -3\n"
      "[[priority]]\nwhere = {\"training.seed\" = 0}\nvalue = -1\n";
  const Graph graph = example_graph(example(file));
  std::map<std::string, int> of;
  for (const auto& task : graph.tasks) of[task.label] = task.priority;
  EXPECT_EQ(of.at("train denoising seed=0"), -1);
  EXPECT_EQ(of.at("train denoising seed=1"), 5);
  EXPECT_EQ(of.at("train denoising seed=2"), 5) << "the highest that matches";
  EXPECT_EQ(of.at("evaluate denoising seed=0 on fgsm"), -1);
  EXPECT_EQ(of.at("attack fgsm"), 5) << "shared with trials of priority 5";
  EXPECT_EQ(of.at("prepare synthetic_lesions"), 5);
  const Graph plain = example_graph(example("[grid]\n\"training.seed\" = [0, 1, 2]\n"));
  for (std::size_t i = 0; i < graph.tasks.size(); ++i)
    EXPECT_EQ(graph.tasks[i].output, plain.tasks[i].output) << "no part of names";
}

TEST(Priority, RefusesMistakes) {
  EXPECT_THAT(refusal("[[priority]]\nwhere = {\"training.seed\" = 9}\nvalue = 1\n"),
              HasSubstr("matches no trial"));
  EXPECT_THAT(refusal("[[priority]]\nwhere = {\"training.seed\" = 0}\nvalue = 1.5\n"),
              HasSubstr("priority[0].value = 1.5"));
  EXPECT_THAT(refusal("[[priority]]\nwhere = {\"training.seed\" = 0}\nvalu = 1\n"),
              HasSubstr("did you mean 'value'"));
  EXPECT_THAT(refusal("[[priority]]\nvalue = 1\n"), HasSubstr("has no where"));
}

}  // namespace
}  // namespace sweep::plan
