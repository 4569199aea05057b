#include "runner/plan/search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/runner/plan/example.hpp"

namespace sweep::plan {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kSearch[] =
    "[search]\nmethod = \"random\"\ntrials = 50\nseed = 1\n[search.space]\n"
    "\"training.learning_rate\" = {from = 1e-4, to = 0.1, scale = \"log\"}\n"
    "\"training.batch_size\" = {from = 16, to = 64, step = 16}\n"
    "\"training.epochs\" = {from = 1, to = 3}\n"
    "\"defence.lambda_n\" = [0.1, 1]\n";

TEST(Search, DrawsFromTheWholeSpaceAndNothingElse) {
  const auto trials = example(kSearch).trials;
  ASSERT_EQ(trials.size(), 50U);
  std::set<std::int64_t> batches, epochs;
  int small = 0;
  for (const auto& trial : trials) {
    const double rate = trial.training.at("learning_rate");
    EXPECT_GE(rate, 1e-4);
    EXPECT_LE(rate, 0.1);
    small += rate < 0.00316 ? 1 : 0;  // half of them on a log scale, 3 % on a linear one
    batches.insert(trial.training.at("batch_size").get<std::int64_t>());
    epochs.insert(trial.training.at("epochs").get<std::int64_t>());
  }
  EXPECT_GT(small, 15);
  EXPECT_LT(small, 35);
  EXPECT_EQ(batches, (std::set<std::int64_t>{16, 32, 48, 64}));
  EXPECT_EQ(epochs, (std::set<std::int64_t>{1, 2, 3}));
}

TEST(Search, FollowsFromTheSeedAlone) {
  const auto trials = example(kSearch).trials, again = example(kSearch).trials;
  EXPECT_EQ(trials, again);
  // A golden: the same on every machine and with every standard library.
  EXPECT_EQ(trials[0].training.at("learning_rate").dump(), "0.0208154429557");
  EXPECT_NE(trials, example(kSearch, {"search.seed=2"}).trials);
  const auto fewer = example(kSearch, {"search.trials=20"}).trials;
  EXPECT_TRUE(std::equal(fewer.begin(), fewer.end(), trials.begin()));
}

TEST(Search, IsCombinedWithTheGridLikeZippedAxes) {
  const auto trials = example(kSearch + std::string("[grid]\n\"training.seed\" = [0, 1]\n")).trials;
  ASSERT_EQ(trials.size(), 100U);
  EXPECT_EQ(trials[3].training.at("learning_rate"), trials[53].training.at("learning_rate"));
}

TEST(Search, DrawsAreDifferentAndAllOfASmallSpaceIsFound) {
  const std::string space = "[search.space]\n\"training.seed\" = {from = 0, to = 29, step = 1}\n";
  EXPECT_EQ(example("[search]\nmethod = \"random\"\ntrials = 30\n" + space).trials.size(), 30U);
  EXPECT_THAT(refusal("[search]\nmethod = \"random\"\ntrials = 31\n" + space),
              AllOf(HasSubstr("search.trials = 31"), HasSubstr("combinations (30)")));
}

TEST(Search, RefusesSpacesThatAreTooSmallAtOnce) {
  const std::string head = "[search]\nmethod = \"random\"\ntrials = 100000\n[search.space]\n";
  EXPECT_THAT(refusal(head + "\"training.seed\" = {from = 0, to = 9}\n"),
              HasSubstr("combinations (10)"));
  EXPECT_THAT(refusal("[search]\nmethod = \"random\"\ntrials = 3\n[search.space]\n"
                      "\"training.seed\" = [1, 1, 2]\n"),
              HasSubstr("combinations (2)"));
}

TEST(Search, RefusesMistakes) {
  const std::string space = "[search.space]\n\"training.seed\" = [0, 1]\n";
  EXPECT_THAT(refusal("[search]\nmethod = \"random\"\n" + space), HasSubstr("search.trials"));
  EXPECT_THAT(refusal("[search]\nmethod = \"random\"\ntrials = 3\n"), HasSubstr("search.space"));
  EXPECT_THAT(refusal(space), HasSubstr("search.method is \"none\""));
  EXPECT_THAT(refusal("[search]\ntrials = 3\n"), HasSubstr("search.trials is there"));
  EXPECT_THAT(refusal("[search]\nmetric = \"acuracy\"\n"), HasSubstr("did you mean 'accuracy'"));
  EXPECT_THAT(refusal(kSearch, {"search.space.\"training.seed\"=3"}), HasSubstr("to draw from"));
  EXPECT_THAT(refusal(kSearch, {"search.space.\"training.seed\"={from=3, to=1}"}),
              HasSubstr("is not above from"));
  EXPECT_THAT(refusal(kSearch, {"grid.\"training.epochs\"=[1]"}), HasSubstr("is an axis at"));
}

TEST(Search, IsRefusedBesidePublishedValuesUnlessForced) {
  const std::string row =
      "[[table.row]]\nlabel = \"x\"\nwhere = {\"defence.name\" = \"denoising\"}\n"
      "published = {fgsm = 12}\n";
  EXPECT_THAT(refusal(row, {"search.early_stopping='asha'"}),
              AllOf(HasSubstr("stops trainings early"), HasSubstr("look better than they are")));
  EXPECT_THAT(refusal(row + kSearch), HasSubstr("draws trials"));
  const Sweep forced = example(row, {"search.early_stopping='asha'", "search.force=true"});
  EXPECT_EQ(forced.early_stopping.rule, "asha");
  EXPECT_EQ(example("", {"search.early_stopping='median'"}).early_stopping.rule, "median");
}

}  // namespace
}  // namespace sweep::plan
