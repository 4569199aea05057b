#include "runner/report/missing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/document.hpp"
#include "runner/report/load.hpp"
#include "tests/runner/report/small_store.hpp"

namespace sweep::report {
namespace {

std::optional<Json> filling(const SmallStore& files, const Json& plan = SmallStore::plan()) {
  files.write_plan("small", plan.dump());
  Artifacts artifacts(files.store());
  const Plan read = load_plan(files.store(), "small");
  return filling_sweep(read, load_table(read, artifacts));
}

std::set<std::int64_t> seeds_of(const Json& sweep) {
  std::set<std::int64_t> seeds;
  for (const auto& include : sweep.at("include"))
    seeds.insert(include.at("training.seed").get<std::int64_t>());
  return seeds;
}

TEST(FillingSweep, HasTheTrialsAndColumnsThatLackACell) {
  const SmallStore files;
  files.write_all();
  EXPECT_FALSE(filling(files));
  files.remove_evaluation("c2.cw");
  const auto sweep = filling(files);
  ASSERT_TRUE(sweep);
  EXPECT_EQ(parse_toml(to_toml(*sweep), "missing.toml").root, Json::parse(R"({
    "sweep": {"name": "small_missing", "description": "The missing cells of small"},
    "dataset": {"name": "synthetic_lesions", "seed": 0},
    "model": {"name": "resnet18", "normalize": "half"},
    "defence": {"name": "none"},
    "training": {"epochs": 2, "milestones": [0.5, 0.75], "seed": 2},
    "include": [{"dataset.name": "synthetic_lesions", "dataset.seed": 0,
                 "model.name": "resnet18", "model.normalize": "half", "defence.name": "none",
                 "training.epochs": 2, "training.milestones": [[0.5, 0.75]], "training.seed": 2}],
    "attacker": {"model.name": "resnet18", "model.normalize": "half", "defence.name": "none",
                 "training.epochs": 2, "training.milestones": [0.5, 0.75], "training.seed": 0},
    "attacks": {"cw_key": {"method": "cw", "confidence": 0, "step": 0.01568627450980392}},
    "table": {"title": "Missing cells of: A small table",
              "column": [{"label": "cw", "attack": "cw_key"}],
              "row": [{"label": "control, other, seed 2", "where": {"defence.name": "none"}}]}})"));
}

TEST(FillingSweep, TellsItsRowsApart) {
  const SmallStore files;
  const auto sweep = filling(files);
  ASSERT_TRUE(sweep);
  EXPECT_EQ(seeds_of(*sweep), (std::set<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(sweep->at("table").at("row"), Json::parse(R"([
      {"label": "NA", "where": {"training.seed": 0}},
      {"label": "control, other, seed 1", "where": {"training.seed": 1}},
      {"label": "control, other, seed 2", "where": {"training.seed": 2}}])"));
  EXPECT_EQ(sweep->at("table").at("column").size(), 2U);
}

TEST(FillingSweep, NamesAttackersAndPixelsWhereTheyAreNotTheUsual) {
  const SmallStore files;
  Json plan = SmallStore::plan();
  Json& column = plan["resolved"]["columns"][1];
  column["attacker"] = "vgg";
  column["pixels"] = "uint8";
  plan["resolved"]["attackers"] = {{"vgg", SmallStore::spec(7)}, {"unused", SmallStore::spec(8)}};
  plan["resolved"]["attacks"]["unused"] = {{"method", "fgsm"}};
  const Json sweep = filling(files, plan).value();
  EXPECT_EQ(
      sweep.at("table").at("column").at(1),
      (Json{{"label", "cw"}, {"attack", "cw_key"}, {"attacker", "vgg"}, {"pixels", "uint8"}}));
  EXPECT_EQ(sweep.at("attackers").size(), 1U);
  EXPECT_EQ(sweep.at("attackers").at("vgg").at("training.seed"), 7);
  EXPECT_EQ(sweep.at("attacks").size(), 1U);
  column["attacker"] = "self";
  EXPECT_FALSE(filling(files, plan)->contains("attackers"));
  plan["resolved"]["columns"][0]["pixels"] = "uint8";
  EXPECT_EQ(filling(files, plan)->at("table").at("pixels"), "uint8");
}

TEST(FillingSweep, KeepsTheAttacksThatPreprocessorsAreTrainedOn) {
  const SmallStore files;
  Json plan = SmallStore::plan();
  Json& trial = plan["table"]["rows"][0]["trials"][0];
  trial["spec"]["preprocessor"] = {{"name", "hgd"}, {"training_attacks", {"train_fgsm"}}};
  plan["resolved"]["attacks"]["train_fgsm"] = {{"method", "fgsm"}};
  const Json sweep = filling(files, plan).value();
  EXPECT_EQ(sweep.at("attacks").at("train_fgsm"), (Json{{"method", "fgsm"}}));
  EXPECT_EQ(sweep.at("include").at(0).at("preprocessor.training_attacks"),
            Json::parse(R"([["train_fgsm"]])"));
  EXPECT_FALSE(sweep.contains("preprocessor")) << "not every trial has one";
}

}  // namespace
}  // namespace sweep::report
