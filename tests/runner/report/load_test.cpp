#include "runner/report/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "tests/runner/report/small_store.hpp"
#include "tests/runner/report/tables.hpp"

namespace sweep::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

TEST(LoadTable, CountsAccuracyFromPredictions) {
  const SmallStore files;
  files.write_all();
  const Table table = load_small(files);
  EXPECT_EQ(table.title, "A small table");
  ASSERT_EQ(table.rows.size(), 2U);
  const Row& attacker = table.rows[0];
  EXPECT_EQ(attacker.cells[0].value(), 75.0);
  EXPECT_EQ(attacker.cells[0].published, 84.28);
  EXPECT_EQ(attacker.images, 4);
  EXPECT_THAT(attacker.seeds, ElementsAre(0));
  EXPECT_THAT(attacker.keys, ElementsAre(Json("none"), Json()));
  EXPECT_FALSE(attacker.control);
  EXPECT_THAT(table.problems, IsEmpty());
  EXPECT_THAT(missing_cells(table), IsEmpty());
  EXPECT_THAT(partial_cells(table), IsEmpty());
}

TEST(LoadTable, AZeroThatWasMeasuredIsAValue) {
  const SmallStore files;
  files.write_all();
  EXPECT_EQ(load_small(files).rows[0].cells[1].value(), 0.0);
}

TEST(LoadTable, TakesTheMeanOverSeeds) {
  const SmallStore files;
  files.write_all();
  const Row control = load_small(files).rows[1];
  EXPECT_TRUE(control.control);
  EXPECT_EQ(control.cells[0].value(), 87.5);
  EXPECT_EQ(control.cells[0].seeds(), 2U);
  EXPECT_EQ(control.cells[0].published, std::nullopt);
  EXPECT_EQ(difference(control.cells[0]), std::nullopt);
  EXPECT_EQ(seed_count(control), 2U);
}

TEST(LoadTable, SumsUpTheAttackOverAllImages) {
  const SmallStore files;
  files.write_all();
  const Table table = load_small(files);
  EXPECT_FALSE(table.columns[0].effect);
  ASSERT_TRUE(table.columns[1].effect);
  EXPECT_EQ(table.columns[1].effect->success, 75.0);
  EXPECT_EQ(table.columns[1].effect->l2, 0.25);
  EXPECT_EQ(table.columns[1].effect->linf, 0.125);
}

TEST(LoadTable, WithoutArtifactsEveryCellIsMissing) {
  const SmallStore files;
  files.write_plan("small", SmallStore::plan().dump());
  const Table table = load_small(files);
  EXPECT_THAT(missing_cells(table),
              ElementsAre("NA, clean", "NA, cw", "control, other, clean", "control, other, cw"));
  EXPECT_EQ(table.rows[0].cells[0].value(), std::nullopt);
  EXPECT_EQ(table.rows[0].images, std::nullopt);
  EXPECT_EQ(seed_count(table.rows[0]), 0U);
}

TEST(LoadTable, SomeSeedsMakeAMeanThatSaysSo) {
  const SmallStore files;
  files.write_all();
  files.remove_evaluation("c1.clean");
  const Table table = load_small(files);
  EXPECT_EQ(table.rows[1].cells[0].value(), 75.0);
  EXPECT_EQ(table.rows[1].cells[0].seeds(), 1U);
  EXPECT_EQ(seed_count(table.rows[1]), 1U);
  EXPECT_THAT(missing_cells(table), IsEmpty());
  EXPECT_THAT(partial_cells(table), ElementsAre("control, other, clean: mean over 1 of 2 seeds"));
}

TEST(LoadTable, ADamagedArtifactIsMissingAndStaysWhereItIs) {
  const SmallStore files;
  files.write_all();
  const auto path = files.write_evaluation("na.clean", 3);
  write_atomically(path, read_text(path) + "x");
  const Table table = load_small(files);
  EXPECT_EQ(table.rows[0].cells[0].value(), std::nullopt);
  EXPECT_THAT(table.problems, ElementsAre(HasSubstr("evaluation na.clean can't be used")));
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_FALSE(std::filesystem::exists(files.root() / "damaged"));
}

TEST(LoadTable, AnArtifactWithoutItsArraysIsMissing) {
  const SmallStore files;
  files.write_all();
  storage::write_artifact(
      files.store().artifact_path({storage::ArtifactKind::adversarial_set, "set"}), {});
  const Table table = load_small(files);
  EXPECT_FALSE(table.columns[1].effect);
  EXPECT_THAT(table.problems, ElementsAre(HasSubstr("no array 'l2'")));
}

/// Four images; the white-box column attacks every row itself.
TEST(LoadTable, TakesEachRowsOwnSetWhereColumnsHaveNone) {
  const SmallStore files;
  files.write_all();
  Json plan = SmallStore::plan();
  Json& table = plan["table"];
  table["columns"][1]["attacker"] = "self";
  table["columns"][1]["adversarial_set"] = nullptr;
  table["rows"][0]["trials"][0]["adversarial_sets"]["cw"] = "own";
  files.write_set("own", {1, 1, 1, 1}, {0, 1, 2, 3});
  files.write_plan("small", plan.dump());
  const Table loaded = load_small(files);
  EXPECT_TRUE(is_white_box(loaded.columns[1]));
  EXPECT_FALSE(loaded.columns[1].effect);
  EXPECT_EQ(loaded.rows[0].cells[1][Metric::mean_l2]->value, 1);
  EXPECT_EQ(loaded.rows[1].cells[1][Metric::mean_l2]->value, 0.25);
}

/// NA: clean TTTF, cw FFFF. Control, seed 1: clean TTTT, cw TTFF; seed 2: clean TTTF, cw TTFF.
TEST(LoadTable, ComparesEveryRowWithBaselineAndControl) {
  const SmallStore files;
  files.write_all();
  const Table table = load_small(files);
  const Cell& attacked = table.rows[0].cells[1];
  EXPECT_FALSE(attacked.against_baseline) << "the baseline itself";
  ASSERT_TRUE(attacked.against_control);
  EXPECT_EQ(attacked.against_control->reference, "control, other");
  EXPECT_EQ(attacked.against_control->difference, -50);
  EXPECT_EQ(attacked.against_control->images, 4);
  EXPECT_THAT(attacked.against_control->pairs, IsEmpty()) << "one seed beside two";
  const Cell& control = table.rows[1].cells[1];
  EXPECT_FALSE(control.against_control);
  ASSERT_TRUE(control.against_baseline);
  EXPECT_EQ(control.against_baseline->difference, 50);
  // -1 for no image, 0 for two, 1 for two: P(0 of 4) = P(4 of 4) = 1/16.
  EXPECT_EQ(control.against_baseline->interval, (Interval{0, 100}));
  ASSERT_EQ(control.against_baseline->pairs.size(), 2U);
  EXPECT_EQ(control.against_baseline->pairs[1].seed, 2);
  EXPECT_EQ(control.against_baseline->pairs[1].reference_seed, 0);
  EXPECT_EQ(control.against_baseline->pairs[1].mcnemar.only_first, 2);
  EXPECT_EQ(control.against_baseline->pairs[1].mcnemar.p, 0.5);
}

TEST(LoadTable, DoesNotCompareOtherImages) {
  const SmallStore files;
  files.write_all();
  for (const char* hash : {"c1.clean", "c1.cw", "c2.clean", "c2.cw"})
    files.write_evaluation(hash, {3, 2, 1, 0}, {3, 2, 1, 0});
  const Table table = load_small(files);
  EXPECT_EQ(table.rows[1].cells[1].value(), 100);
  EXPECT_FALSE(table.rows[1].cells[0].against_baseline);
  EXPECT_FALSE(table.rows[1].cells[1].against_baseline);
  EXPECT_THAT(table.problems, IsEmpty());
}

TEST(LoadTable, EvaluationsThatContradictEachOtherGiveNoValue) {
  const SmallStore files;
  files.write_all();
  files.write_evaluation("c1.cw", {3, 2, 1, 0}, {3, 2, 1, 0});
  const Table table = load_small(files);
  EXPECT_EQ(table.rows[1].cells[1].seeds(), 1U);
  EXPECT_EQ(table.rows[1].cells[1].against_baseline->pairs.size(), 1U);
  EXPECT_THAT(table.problems,
              ElementsAre(HasSubstr("its labels are not those of the evaluation on clean images")));
}

TEST(LoadTable, TakesTheReferenceOfTheSameModel) {
  const SmallStore files;
  files.write_all();
  Json plan = SmallStore::plan();
  Json& rows = plan["table"]["rows"];
  rows.push_back(rows[0]);  // another NA, of another model
  rows[2]["label"] = "NA, other model";
  rows[2]["trials"][0]["spec"]["model"]["name"] = "vgg16";
  rows.push_back(rows[2]);
  rows[3]["label"] = "defended";
  rows[3]["baseline"] = false;
  files.write_plan("small", plan.dump());
  const Table table = load_small(files);
  EXPECT_EQ(table.rows[3].cells[0].against_baseline->reference, "NA, other model");
  EXPECT_EQ(table.rows[1].cells[0].against_baseline->reference, "NA");
}

TEST(LoadTable, AnEvaluationOfAnotherSizeIsNoMeasurement) {
  const SmallStore files;
  files.write_all();
  files.write_set("set", {1, 1}, {0, 1});
  const Table table = load_small(files);
  EXPECT_EQ(table.rows[0].cells[1].value(), std::nullopt);
  EXPECT_THAT(table.problems.front(), HasSubstr("its adversarial set has 2 images"));
}

TEST(LoadTable, RefusesNonsenseInArtifacts) {
  const SmallStore files;
  files.write_all();
  const auto problem = [&] {
    const Table table = load_small(files);
    return table.problems.empty() ? "" : table.problems.front();
  };
  files.write_evaluation("na.clean", {0, 1, 2, -1}, {0, 1, 2, 3});
  EXPECT_THAT(problem(), HasSubstr("'labels' has the class -1"));
  files.write_evaluation("na.clean", {0, 1, 2, 3}, {0, 1, 2, std::int64_t{1} << 40});
  EXPECT_THAT(problem(), HasSubstr("'predictions' has the class 1099511627776"));
  files.write_evaluation("na.clean", {0, 1, 2, 3}, {0, 1});
  EXPECT_THAT(problem(), HasSubstr("'predictions' has 2 values for 4 images"));
  files.write_evaluation("na.clean", 3);
  files.write_set("set", {1, 1, 1, std::nanf("")}, {0, 1, 2, 3});
  EXPECT_THAT(problem(), HasSubstr("'l2' has the distance nan"));
}

TEST(LoadTable, KnowsWhatTheDatasetSkipped) {
  const SmallStore files;
  files.write_all();
  files.write_dataset(
      {{"dataset", "skin4"},
       {"skipped",
        {{{"id", "ISIC_1"}, {"split", "test"}, {"class", "NV"}, {"reason", "no JPEG"}}}}});
  const Table table = load_small(files);
  ASSERT_EQ(table.datasets.size(), 1U);
  EXPECT_EQ(table.datasets[0].name, "skin4");
  EXPECT_THAT(table.datasets[0].class_names, ElementsAre("A", "B", "C", "D"));
  EXPECT_THAT(table.datasets[0].skipped, ElementsAre("test/ISIC_1 (no JPEG)"));
}

TEST(LoadTable, AnUnreadableCardIsAProblemNotAnError) {
  const SmallStore files;
  files.write_all();
  for (const Json& card : {Json(1), Json{{"skipped", 3}}, Json{{"skipped", {{{"id", 1}}}}},
                           Json{{"skipped", {Json("x")}}}}) {
    files.write_dataset(card);
    EXPECT_THAT(load_small(files).problems, ElementsAre(HasSubstr("dataset data can't be used")))
        << card;
  }
}

TEST(SweepNames, ListsTheRunsThatHaveAPlan) {
  const SmallStore files;
  files.write_plan("second", "{}");
  files.write_plan("first", "{}");
  create_folders(files.root() / "runs" / "without_plan");
  EXPECT_THAT(sweep_names(files.store()), ElementsAre("first", "second"));
}

TEST(SweepNames, RefusesFoldersWithoutRuns) {
  const SmallStore files;
  EXPECT_THAT([&] { sweep_names(files.store()); },
              ThrowsMessage<InputError>(HasSubstr("no sweep has run in")));
  EXPECT_THAT([&] { sweep_names(storage::Store(files.root() / "nowhere")); },
              ThrowsMessage<InputError>(HasSubstr("there is no folder")));
}

}  // namespace
}  // namespace sweep::report
