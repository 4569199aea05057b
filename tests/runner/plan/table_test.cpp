#include "runner/plan/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/runner/plan/example.hpp"

namespace sweep::plan {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kSeeds = "[grid]\n\"training.seed\" = [0, 1]\n";

TEST(Table, ByDefaultShowsEverything) {
  const Table table = example(kSeeds).table;
  ASSERT_EQ(table.columns.size(), 2U);
  EXPECT_EQ(table.columns[0].label, "clean");
  EXPECT_EQ(table.columns[1].attack, "fgsm");
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(table.rows[1].label, "training.seed=1");
}

TEST(Table, RowsTakeTheTrialsThatMatch) {
  const Table table =
      example(kSeeds +
              "[[table.row]]\nlabel = \"both\"\n"
              "where = { \"defence.lambda_n\" = 0.0 }\npublished = { fgsm = 12.5 }\n")
          .table;
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_THAT(table.rows[0].trials, ElementsAre(0U, 1U));
  EXPECT_EQ(table.rows[0].published.at("fgsm"), 12.5);
}

TEST(Table, RefusesRowsThatShowATrialTwiceOrNever) {
  const std::string zero = "[[table.row]]\nlabel = \"zero\"\nwhere = { \"training.seed\" = 0 }\n";
  const std::string all =
      "[[table.row]]\nlabel = \"all\"\nwhere = { \"defence.name\" = \"denoising\" }\n";
  EXPECT_THAT(refusal(kSeeds + zero + all),
              AllOf(HasSubstr("duplicate row"), HasSubstr("\"zero\"")));
  EXPECT_THAT(refusal(kSeeds + zero + zero), HasSubstr("twice"));
  EXPECT_THAT(refusal(kSeeds + zero), HasSubstr("no row of the table shows the trial"));
}

TEST(Table, RefusesWhatDoesNotExist) {
  EXPECT_THAT(refusal(kSeeds + "[[table.row]]\nlabel = \"x\"\nwhere = { \"training.sed\" = 0 }\n"),
              HasSubstr("did you mean 'training.seed'"));
  EXPECT_THAT(refusal(kSeeds + "[[table.row]]\nlabel = \"x\"\nwhere = { \"training.seed\" = 7 }\n"),
              HasSubstr("matches no trial"));
  EXPECT_THAT(refusal(kSeeds + "[[table.row]]\nlabel = \"x\"\n"), HasSubstr("has no where"));
  EXPECT_THAT(refusal(kSeeds + "[[table.row]]\nwhere = { \"training.seed\" = 0 }\n"),
              HasSubstr("has no label"));
  EXPECT_THAT(refusal(kSeeds + "[[table.column]]\nlabel = \"x\"\nattack = \"fgms\"\n"),
              HasSubstr("did you mean 'fgsm'"));
  EXPECT_THAT(refusal(kSeeds + "[[table.column]]\nlabel = \"clean\"\n"),
              AllOf(HasSubstr("attacks.fgsm"), HasSubstr("is in no column")));
  EXPECT_THAT(refusal(kSeeds + "[table]\ntitel = \"x\"\n"), HasSubstr("did you mean 'title'"));
  EXPECT_THAT(refusal(kSeeds + "[table]\nrow_keys = [\"training.epoch\"]\n"),
              HasSubstr("did you mean 'training.epochs'"));
}

TEST(Table, RefusesPublishedValuesThatAreNoPercentages) {
  const std::string row =
      "[[table.row]]\nlabel = \"x\"\nwhere = { \"defence.lambda_n\" = 0 }\npublished = ";
  EXPECT_THAT(refusal(kSeeds + row + "{ fgsm = 120 }\n"), HasSubstr("[0, 100]"));
  EXPECT_THAT(refusal(kSeeds + row + "{ fgsm = \"high\" }\n"), HasSubstr("[0, 100]"));
  EXPECT_THAT(refusal(kSeeds + row + "{ fgm = 12 }\n"), HasSubstr("did you mean 'fgsm'"));
}

}  // namespace
}  // namespace sweep::plan
