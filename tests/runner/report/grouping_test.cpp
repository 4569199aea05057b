#include "runner/report/grouping.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runner/report/load.hpp"
#include "tests/runner/report/small_store.hpp"
#include "tests/support/message_of.hpp"

namespace sweep::report {
namespace {

using test_support::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Plan small_plan(const SmallStore& files, const Json& plan = SmallStore::plan()) {
  files.write_plan("small", plan.dump());
  return load_plan(files.store(), "small");
}

TEST(Grouping, MakesOneRowOfAllTrialsWithTheSameValue) {
  const SmallStore files;
  files.write_all();
  Artifacts artifacts(files.store());
  const Plan plan = grouped(small_plan(files), {"defence.name"});
  ASSERT_EQ(plan.rows.size(), 1U);
  EXPECT_EQ(plan.rows[0].label, "defence.name=none");
  EXPECT_TRUE(plan.rows[0].published.empty());
  EXPECT_FALSE(plan.rows[0].baseline);
  const Table table = load_table(plan, artifacts);
  EXPECT_THAT(table.rows[0].seeds, ElementsAre(0, 1, 2));
  // 75, 100 and 75 %.
  EXPECT_NEAR(*table.rows[0].cells[0].value(), 250.0 / 3, 1e-12);
  EXPECT_EQ(table.rows[0].cells[0][Metric::accuracy]->n, 12);
}

TEST(Grouping, SplitsRowsToo) {
  const SmallStore files;
  const Plan plan = grouped(small_plan(files), {"training.seed", "model.name"});
  ASSERT_EQ(plan.rows.size(), 3U);
  EXPECT_EQ(plan.rows[2].label, "training.seed=2, model.name=resnet18");
  EXPECT_EQ(plan.rows[2].keys.at("training.seed"), 2);
  EXPECT_THAT(plan.row_keys, ElementsAre("training.seed", "model.name"));
}

TEST(Grouping, ARowThatStaysWhatItWasKeepsItsPublishedValues) {
  const SmallStore files;
  const Plan plan = grouped(small_plan(files), {"training.seed"});
  EXPECT_EQ(plan.rows[0].published.at("clean"), 84.28);
  EXPECT_TRUE(plan.rows[0].baseline);
  EXPECT_FALSE(plan.rows[1].control) << "one of two seeds of the control row";
}

TEST(Grouping, TrialsWithoutTheKeyAreAGroup) {
  const SmallStore files;
  Json json = SmallStore::plan();
  json["table"]["rows"][0]["trials"][0]["spec"]["defence"]["lambda_n"] = 0.1;
  const Plan plan = grouped(small_plan(files, json), {"defence.lambda_n"});
  ASSERT_EQ(plan.rows.size(), 2U);
  EXPECT_EQ(plan.rows[0].label, "defence.lambda_n=0.1");
  EXPECT_EQ(plan.rows[1].label, "defence.lambda_n=(none)");
}

TEST(Grouping, RefusesKeysThatNoTrialHas) {
  const SmallStore files;
  EXPECT_THAT(message_of([&] { grouped(small_plan(files), {"training.sed"}); }),
              HasSubstr("unknown key 'training.sed' for --group-by (no trial of 'small' has it) "
                        "(did you mean 'training.seed'?)"));
}

}  // namespace
}  // namespace sweep::report
