#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/text.hpp"
#include "runner/report/format.hpp"
#include "runner/report/load.hpp"
#include "tests/runner/report/small_store.hpp"
#include "tests/runner/report/tables.hpp"

namespace sweep::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string render(const std::string& format, const Table& table, const View& view = {}) {
  return FormatRegistry::instance().at(format).make.render({&table, 1}, view);
}

/// All cells there but one, which lacks a seed, and one, which is missing.
Table golden_table() {
  const SmallStore files;
  files.write_all();
  files.remove_evaluation("na.cw");
  files.remove_evaluation("c2.clean");
  return load_small(files);
}

/// The fields of a line without quotes.
std::map<std::string, std::string> fields_of(const std::string& csv, std::size_t line) {
  const auto lines = split(csv, '\n');
  const auto names = split(lines.at(0), ','), values = split(lines.at(line), ',');
  EXPECT_EQ(names.size(), values.size());
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  std::map<std::string, std::string> fields;
  for (std::size_t i = 0; i < std::min(names.size(), values.size()); ++i)
    fields[names[i]] = values[i];
  return fields;
}

void expect_fields(const std::map<std::string, std::string>& fields,
                   const std::map<std::string, std::string>& expected) {
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(fields.contains(name)) << name;
    EXPECT_EQ(fields.at(name), value) << name;
  }
}

TEST(Csv, HasOneLineForEachRow) {
  const std::string csv = render("csv", golden_table());
  EXPECT_THAT(csv, StartsWith("row,control,defence,lambda_n,seeds,n,images,group,baseline,clean,"
                              "clean_published,clean_difference,clean_published_inside,clean_low,"
                              "clean_high,clean_n,clean_std,"));
  expect_fields(fields_of(csv, 1), {{"row", "NA"},
                                    {"control", "false"},
                                    {"baseline", "true"},
                                    {"defence", "none"},
                                    {"lambda_n", ""},
                                    {"seeds", "0"},
                                    {"n", "1"},
                                    {"images", "4"},
                                    {"clean", "75.00"},
                                    {"clean_published", "84.28"},
                                    {"clean_difference", "-9.28"},
                                    {"clean_published_inside", "true"},
                                    {"clean_low", "30.0642"},
                                    {"clean_high", "95.4413"},
                                    {"clean_n", "4"},
                                    {"clean_std", ""},
                                    {"clean_minus_control", "-25.00"},
                                    {"clean_minus_control_low", "-75"},
                                    {"clean_minus_control_high", "0"},
                                    {"clean_minus_control_p", "1"},
                                    {"clean_minus_baseline", ""},
                                    {"cw", "missing"},
                                    {"cw_published", "1.54"},
                                    {"cw_difference", ""},
                                    {"cw_l2", "0.2500"},
                                    {"cw_median_l2", "0.2500"},
                                    {"cw_max_linf", "0.2500"},
                                    {"cw_success", "missing"},
                                    {"cw_clean_accuracy", "75.00"}});
}

TEST(Csv, HasEveryMetricWithItsInterval) {
  const SmallStore files;
  files.write_all();
  const std::string csv = render("csv", load_small(files));
  // NA: clean TTTF, cw FFFF, L2 0.5, 0.25, 0.25, 0.
  expect_fields(fields_of(csv, 1), {{"cw", "0.00"},
                                    {"cw_low", "0"},
                                    {"cw_high", "48.9891"},
                                    {"cw_published_inside", "true"},
                                    {"cw_success", "100.00"},
                                    {"cw_success_low", "51.0109"},
                                    {"cw_success_high", "100"},
                                    {"cw_success_n", "4"},
                                    {"cw_success_of_correct", "100.00"},
                                    {"cw_success_of_correct_n", "3"},
                                    {"cw_l2_of_successes", "0.2500"},
                                    {"cw_l2_of_successes_n", "4"},
                                    {"cw_median_l2_of_successes", "0.2500"}});
}

TEST(Csv, WithoutArtifactsNothingIsZero) {
  const SmallStore files;
  files.write_plan("small", SmallStore::plan().dump());
  const auto fields = fields_of(render("csv", load_small(files)), 1);
  for (const auto& [name, value] : fields) {
    if (name.rfind("clean", 0) == 0 || name.rfind("cw", 0) == 0) {
      EXPECT_THAT(value, ::testing::AnyOf("missing", "", "84.28", "1.54")) << name;
    }
  }
  expect_fields(fields, {{"n", "0"}, {"images", "missing"}, {"cw_l2", "missing"}});
}

TEST(Csv, WhatIsUndefinedIsNotMissing) {
  const SmallStore files;
  files.write_all();
  files.write_evaluation("na.cw", 4);  // no image was turned
  expect_fields(fields_of(render("csv", load_small(files)), 1),
                {{"cw_success", "0.00"}, {"cw_l2_of_successes", ""}});
}

TEST(Csv, QuotesAsRfc4180Wants) {
  Table table{.row_keys = {"key"}, .columns = {{"a,b", nullptr}}};
  table.rows.push_back({.label = "say \"hi\"",
                        .group = "",
                        .keys = {"two\nlines"},
                        .seeds = {0},
                        .images = 1,
                        .cells = {{}}});
  const std::string csv = render("csv", table);
  EXPECT_THAT(csv, StartsWith("row,control,key,seeds,n,images,group,baseline,\"a,b\","
                              "\"a,b_published\",\"a,b_difference\","));
  EXPECT_THAT(csv, HasSubstr("\n\"say \"\"hi\"\"\",false,\"two\nlines\",0,0,1,,false,missing,,,"));
}

TEST(Csv, KeepsTheWholeKeyWhereTheShortOneIsTaken) {
  const Table table{.row_keys = {"model.name", "training.seed", "dataset.seed", "run.images"}};
  EXPECT_EQ(render("csv", table),
            "row,control,model,training.seed,dataset.seed,run.images,seeds,n,images,group,"
            "baseline\n");
}

TEST(Csv, ADifferenceThatRoundsToZeroHasNoSign) {
  Table table{.columns = {{"clean", nullptr}}};
  table.rows.push_back({.label = "NA", .cells = {cell_of(84279, 100000, 84.28)}});
  expect_fields(fields_of(render("csv", table), 1),
                {{"clean", "84.28"}, {"clean_difference", "0.00"}});
}

TEST(Markdown, IsATableWithItsNotes) {
  EXPECT_EQ(render("md", golden_table()), R"(## A small table

| row | seeds | n | clean | cw |
| :-- | :-- | --: | --: | --: |
| NA | 0 | 1 | 75.00 (84.28, -9.28) | missing (1.54) |
| control, other \* | 1;2 | 1 | 100.00 | 50.00 |

Cells: ours (published, ours minus published).

- Accuracy in percent over 4 test images, the mean over n seeds (the fewest of the row).
- Control row (\*): an undefended model trained from another seed, not in the paper. The attacks transfer to it from their attacker: the honest reference for what a defence adds.
- One attacker's examples for all rows: cw.
- cw: cw, confidence 0, step 4/255; success on the attacker 75.0 %, mean L2 0.250, mean Linf 0.1250.
- Adversarial images are evaluated as float32.
- An attack with confidence 0 stops right behind the attacker's decision boundary: its examples hardly transfer, so read its column beside its L2 and its success on the attacker.
- Missing: 1 of 4 cells; the same sweep_runner command goes on with them.
- control, other, clean: mean over 1 of 2 seeds.
)");
}

TEST(Markdown, EscapesWhatWouldBreakTheTable) {
  Table table{.title = "a*b", .columns = {{"x|y", nullptr}}};
  EXPECT_THAT(render("md", table), StartsWith("## a\\*b\n\n| row | seeds | n | x\\|y |\n"));
}

TEST(Text, IsAlignedAndWrapped) {
  EXPECT_EQ(render("text", golden_table()), R"(A small table

                            clean             cw
row               n    ours paper     ours paper
------------------------------------------------
NA                1   75.00 84.28  missing  1.54
control, other *  1  100.00     -    50.00     -

Accuracy in percent over 4 test images, the mean over n seeds (the fewest of the row).
Control row (*): an undefended model trained from another seed, not in the paper. The attacks
  transfer to it from their attacker: the honest reference for what a defence adds.
One attacker's examples for all rows: cw.
cw: cw, confidence 0, step 4/255; success on the attacker 75.0 %, mean L2 0.250, mean Linf 0.1250.
Adversarial images are evaluated as float32.
An attack with confidence 0 stops right behind the attacker's decision boundary: its examples hardly
  transfer, so read its column beside its L2 and its success on the attacker.
Missing: 1 of 4 cells; the same sweep_runner command goes on with them.
control, other, clean: mean over 1 of 2 seeds.
)");
}

TEST(Text, LeavesOutThePaperWhereItHasNoColumn) {
  Table table{.title = "t", .columns = {{"λ", nullptr}}};
  table.rows.push_back({.label = "NA", .seeds = {0}, .images = 1, .cells = {cell_of(1, 2)}});
  EXPECT_THAT(render("text", table), StartsWith(R"(t

            λ
row  n   ours
-------------
NA   1  50.00
)"));
}

/// Table 1 of the paper: nine rows, the longest labels, every own value missing.
TEST(Text, SixColumnsFitInto120) {
  Table table{.title = "Table 1"};
  for (const auto* label :
       {"clean", "fgsm_eps4", "fgsm_eps8", "ifgsm10_eps4", "ifgsm10_eps8", "cw"})
    table.columns.push_back({label, {{"method", "fgsm"}, {"epsilon", 8.0 / 255}}});
  table.rows.push_back({.label = "control (NA, other seed)",
                        .control = true,
                        .seeds = {1},
                        .cells = std::vector<Cell>(6, Cell{.published = 84.28})});
  for (const auto& line : split(render("text", table), '\n')) EXPECT_LE(line.size(), 120U) << line;
}

TEST(Notes, SayWhenAnAdversarialSetIsMissing) {
  const Table table{.columns = {{"cw", {{"method", "cw"}, {"confidence", 40}}}}};
  const std::string text = render("text", table);
  EXPECT_THAT(text, HasSubstr("cw: cw, confidence 40; its adversarial set is missing.\n"));
  EXPECT_THAT(text, Not(HasSubstr("confidence 0")));
}

Table two_kinds_of_attack() {
  Table table{.title = "t"};
  table.columns = {
      {.label = "clean", .attack = nullptr},
      {.label = "fgsm", .attack = {{"method", "fgsm"}}, .pixels = "uint8"},
      {.label = "own", .attack = {{"method", "ifgsm"}}, .attacker = "self", .set_by_row = true},
      {.label = "vgg", .attack = {{"method", "fgsm"}}, .attacker = "vgg16"}};
  table.rows = {{.label = "NA", .cells = std::vector<Cell>(4)}};
  return table;
}

TEST(Notes, SayWhoAttackedAndWhatPixels) {
  const std::string text = render("md", two_kinds_of_attack());
  EXPECT_THAT(text, HasSubstr("- One attacker's examples for all rows: fgsm, vgg. White-box, every "
                              "row attacked itself: own.\n"));
  EXPECT_THAT(text,
              HasSubstr("- own: ifgsm; white-box: every model is attacked itself; its success "
                        "and distances differ by row.\n"));
  EXPECT_THAT(text, HasSubstr("- vgg: fgsm; attacker vgg16; its adversarial set is missing.\n"));
  EXPECT_THAT(text, HasSubstr("- Adversarial images are evaluated rounded to 8 bit in fgsm; as "
                              "float32 in own, vgg.\n"));
}

TEST(Notes, NameWhatTheDatasetSkipped) {
  Table table{.title = "t"};
  table.datasets = {{"skin4", {}, {"test/a (1)", "test/b (2)", "train/c (3)", "train/d (4)"}},
                    {"clean", {}, {}}};
  const std::string text = render("md", table);
  EXPECT_THAT(text, HasSubstr("- The dataset skin4 was made without 4 images: test/a (1), test/b "
                              "(2), train/c (3), ....\n"));
  EXPECT_THAT(text, Not(HasSubstr("dataset clean")));
}

TEST(Text, HasAHeadingForEachGroup) {
  Table table{.title = "t", .columns = {{"clean", nullptr}}};
  for (const auto& [label, group] : {std::pair{"NA", ""},
                                     {"R", "Reformer"},
                                     {"R + L_n", "Reformer"},
                                     {"HGD*", "HGD"},
                                     {"control", ""}})
    table.rows.push_back({.label = label, .group = group, .cells = {cell_of(1, 2)}});
  EXPECT_THAT(render("text", table), StartsWith(R"(t

             clean
row       n   ours
------------------
NA        1  50.00
Reformer
R         1  50.00
R + L_n   1  50.00
HGD
HGD*      1  50.00

control   1  50.00
)"));
}

TEST(Text, ShowsIntervalsAndSpreadOnDemand) {
  const SmallStore files;
  files.write_all();
  const Table table = load_small(files);
  EXPECT_THAT(render("text", table, {.intervals = true}), HasSubstr("75.00 [30.06, 95.44] 84.28"));
  const std::string spread = render("text", table, {.std = true, .ci95 = true});
  EXPECT_THAT(spread, HasSubstr("75.00 ± - [-] 84.28"));
  EXPECT_THAT(spread, HasSubstr("87.50 ± 17.68 [-71.33, 246.33]"));
  EXPECT_THAT(spread, HasSubstr("After ±: the standard deviation"));
}

TEST(Text, ShowsAnotherMetricWithoutThePaper) {
  const SmallStore files;
  files.write_all();
  const std::string text = render("text", load_small(files), {.metric = Metric::mean_l2});
  EXPECT_THAT(text, Not(HasSubstr("paper ")));
  EXPECT_THAT(text, HasSubstr("NA                1      -  0.2500\n"));
  EXPECT_THAT(text, HasSubstr("Mean L2 distance over all images, of pixels in [0,1], the mean over "
                              "n seeds"));
}

TEST(Text, ComparesWithThePaperCellByCell) {
  Table table{.title = "t", .columns = {{"clean", nullptr}}};
  table.rows.push_back({.label = "NA", .seeds = {0}, .cells = {cell_of(843, 1000, 84.28)}});
  table.rows.push_back({.label = "L_n", .seeds = {0}, .cells = {cell_of(600, 1000, 84.28)}});
  table.rows.push_back({.label = "L_a", .seeds = {0}, .cells = {Cell{.published = 1.5}}});
  table.rows.push_back({.label = "unpublished", .seeds = {0}, .cells = {cell_of(1, 2)}});
  EXPECT_THAT(render("text", table, {.compare = true}), StartsWith(R"(t

row  column     ours   95 % interval  paper  difference  inside
---------------------------------------------------------------
NA   clean     84.30  [81.91, 86.42]  84.28       +0.02     yes
L_n  clean     60.00  [56.93, 62.99]  84.28      -24.28      no
L_a  clean   missing                   1.50
)"));
}

TEST(Text, LabelsCannotSteerTheTerminal) {
  Table table{.title = "a\x1b[2Jb", .columns = {{"x\ny", nullptr}}};
  table.rows.push_back({.label = "N\x07"
                                 "A",
                        .cells = {cell_of(1, 2)}});
  const std::string text = render("text", table);
  EXPECT_THAT(text, StartsWith("a [2Jb\n"));
  EXPECT_THAT(text, Not(HasSubstr("\x07")));
  EXPECT_THAT(text, HasSubstr("x y"));
}

TEST(JsonFormat, HoldsEverything) {
  const SmallStore files;
  files.write_all();
  const Json json = Json::parse(render("json", load_small(files)));
  EXPECT_EQ(json.at("version"), 1);
  const Json& table = json.at("tables").at(0);
  EXPECT_EQ(table.at("name"), "small");
  EXPECT_EQ(table.at("columns").at(1).at("on_attacker").at("success"), 75.0);
  EXPECT_EQ(table.at("columns").at(1).at("white_box"), false);
  const Json& cell = table.at("rows").at(1).at("cells").at(1);
  EXPECT_EQ(cell.at("column"), "cw");
  EXPECT_EQ(cell.at("missing"), false);
  EXPECT_EQ(cell.at("metrics").at("accuracy").at("value"), 50.0);
  EXPECT_EQ(cell.at("metrics").at("accuracy").at("count"), 4);
  EXPECT_EQ(cell.at("metrics").at("accuracy").at("n"), 8);
  EXPECT_EQ(cell.at("metrics").at("accuracy").at("seeds"), 2);
  EXPECT_EQ(cell.at("metrics").at("accuracy").at("std"), 0.0);
  EXPECT_EQ(cell.at("confusion").size(), 5U);
  EXPECT_EQ(cell.at("confusion").at(3).at(4), 2);
  EXPECT_EQ(cell.at("against_control"), nullptr);
  EXPECT_EQ(cell.at("against_baseline").at("bootstrap95"), Json({0.0, 100.0}));
  EXPECT_EQ(cell.at("against_baseline").at("mcnemar").at(1).at("only_ours"), 2);
  EXPECT_EQ(cell.at("trials").at(1).at("seed"), 2);
  EXPECT_EQ(cell.at("trials").at(1).at("metrics").at("accuracy").at("value"), 50.0);
  EXPECT_EQ(table.at("rows").at(0).at("cells").at(0).at("published"), 84.28);
}

TEST(JsonFormat, WithoutArtifactsNothingIsZero) {
  const SmallStore files;
  files.write_plan("small", SmallStore::plan().dump());
  const Json json = Json::parse(render("json", load_small(files)));
  const Json& cell = json.at("tables").at(0).at("rows").at(0).at("cells").at(1);
  EXPECT_EQ(cell.at("missing"), true);
  EXPECT_EQ(cell.at("metrics"), Json::object());
  EXPECT_EQ(cell.at("against_control"), nullptr);
}

}  // namespace
}  // namespace sweep::report
