#include "runner/report/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/runner/report/small_store.hpp"

namespace sweep::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

TEST(LoadTable, CountsAccuracyFromPredictions) {
  const SmallStore files;
  files.write_all();
  const Table table = load_table(files.store(), "small");
  EXPECT_EQ(table.title, "A small table");
  ASSERT_EQ(table.rows.size(), 2U);
  const Row& attacker = table.rows[0];
  EXPECT_EQ(attacker.cells[0].value, 75.0);
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
  EXPECT_EQ(load_table(files.store(), "small").rows[0].cells[1].value, 0.0);
}

TEST(LoadTable, TakesTheMeanOverSeeds) {
  const SmallStore files;
  files.write_all();
  const Row control = load_table(files.store(), "small").rows[1];
  EXPECT_TRUE(control.control);
  EXPECT_EQ(control.cells[0].value, 87.5);
  EXPECT_EQ(control.cells[0].seeds, 2U);
  EXPECT_EQ(control.cells[0].published, std::nullopt);
  EXPECT_EQ(difference(control.cells[0]), std::nullopt);
  EXPECT_EQ(seed_count(control), 2U);
}

TEST(LoadTable, SumsUpTheAttackOverAllImages) {
  const SmallStore files;
  files.write_all();
  const Table table = load_table(files.store(), "small");
  EXPECT_FALSE(table.columns[0].effect);
  ASSERT_TRUE(table.columns[1].effect);
  EXPECT_EQ(table.columns[1].effect->success, 75.0);
  EXPECT_EQ(table.columns[1].effect->l2, 0.25);
  EXPECT_EQ(table.columns[1].effect->linf, 0.125);
}

TEST(LoadTable, WithoutArtifactsEveryCellIsMissing) {
  const SmallStore files;
  files.write_plan("small", SmallStore::plan().dump());
  const Table table = load_table(files.store(), "small");
  EXPECT_THAT(missing_cells(table),
              ElementsAre("NA, clean", "NA, cw", "control, other, clean", "control, other, cw"));
  EXPECT_EQ(table.rows[0].cells[0].value, std::nullopt);
  EXPECT_EQ(table.rows[0].images, std::nullopt);
  EXPECT_EQ(seed_count(table.rows[0]), 0U);
}

TEST(LoadTable, SomeSeedsMakeAMeanThatSaysSo) {
  const SmallStore files;
  files.write_all();
  files.remove_evaluation("c1.clean");
  const Table table = load_table(files.store(), "small");
  EXPECT_EQ(table.rows[1].cells[0].value, 75.0);
  EXPECT_EQ(table.rows[1].cells[0].seeds, 1U);
  EXPECT_EQ(seed_count(table.rows[1]), 1U);
  EXPECT_THAT(missing_cells(table), IsEmpty());
  EXPECT_THAT(partial_cells(table), ElementsAre("control, other, clean: mean over 1 of 2 seeds"));
}

TEST(LoadTable, ADamagedArtifactIsMissingAndStaysWhereItIs) {
  const SmallStore files;
  files.write_all();
  const auto path = files.write_evaluation("na.clean", 3);
  write_atomically(path, read_text(path) + "x");
  const Table table = load_table(files.store(), "small");
  EXPECT_EQ(table.rows[0].cells[0].value, std::nullopt);
  EXPECT_THAT(table.problems, ElementsAre(HasSubstr("evaluation na.clean can't be used")));
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_FALSE(std::filesystem::exists(files.root() / "damaged"));
}

TEST(LoadTable, AnArtifactWithoutItsArraysIsMissing) {
  const SmallStore files;
  files.write_all();
  storage::write_artifact(
      files.store().artifact_path({storage::ArtifactKind::adversarial_set, "set"}), {});
  const Table table = load_table(files.store(), "small");
  EXPECT_FALSE(table.columns[1].effect);
  EXPECT_THAT(table.problems, ElementsAre(HasSubstr("no array 'success'")));
}

TEST(LoadTable, RefusesPlansThatItCannotRead) {
  const SmallStore files;
  const auto load = [&](const std::string& text) {
    files.write_plan("small", text);
    return [&] { load_table(files.store(), "small"); };
  };
  EXPECT_THAT(load("{"), ThrowsMessage<InputError>(HasSubstr("is damaged")));
  EXPECT_THAT(load("[]"), ThrowsMessage<InputError>(HasSubstr("is damaged")));
  EXPECT_THAT(load("{}"), ThrowsMessage<InputError>(HasSubstr("has version null")));
  EXPECT_THAT(load(R"({"version": 2})"), ThrowsMessage<InputError>(HasSubstr("has version 2")));
  EXPECT_THAT(load(R"({"version": 1})"), ThrowsMessage<InputError>(HasSubstr("'table' not found")));
  EXPECT_THAT(load(R"({"version": 1, "table": {"title": 1}})"),
              ThrowsMessage<InputError>(HasSubstr("must be string")));
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
