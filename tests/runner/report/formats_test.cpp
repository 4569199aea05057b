#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/text.hpp"
#include "runner/report/format.hpp"
#include "runner/report/load.hpp"
#include "tests/runner/report/small_store.hpp"

namespace sweep::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string render(const std::string& format, const Table& table) {
  return FormatRegistry::instance().at(format).make(table);
}

/// All cells there but one, which lacks a seed, and one, which is missing.
Table golden_table() {
  const SmallStore files;
  files.write_all();
  files.remove_evaluation("na.cw");
  files.remove_evaluation("c2.clean");
  return load_table(files.store(), "small");
}

TEST(Csv, HasOneLineForEachRow) {
  EXPECT_EQ(
      render("csv", golden_table()),
      R"(row,control,defence,lambda_n,seeds,n,images,clean,clean_published,clean_difference,cw,cw_published,cw_difference,cw_l2
NA,false,none,,0,1,4,75.00,84.28,-9.28,missing,1.54,,0.2500
"control, other",true,none,0.5,1;2,1,4,100.00,,,50.00,,,0.2500
)");
}

TEST(Csv, WithoutArtifactsNothingIsZero) {
  const SmallStore files;
  files.write_plan("small", SmallStore::plan().dump());
  EXPECT_THAT(render("csv", load_table(files.store(), "small")),
              HasSubstr("NA,false,none,,0,0,missing,missing,84.28,,missing,1.54,,missing\n"));
}

TEST(Csv, QuotesAsRfc4180Wants) {
  Table table{.row_keys = {"key"}, .columns = {{"a,b", nullptr, {}}}};
  table.rows.push_back(
      {.label = "say \"hi\"", .keys = {"two\nlines"}, .seeds = {0}, .images = 1, .cells = {{}}});
  EXPECT_EQ(render("csv", table),
            "row,control,key,seeds,n,images,\"a,b\",\"a,b_published\",\"a,b_difference\"\n"
            "\"say \"\"hi\"\"\",false,\"two\nlines\",0,0,1,missing,,\n");
}

TEST(Csv, KeepsTheWholeKeyWhereTheShortOneIsTaken) {
  const Table table{.row_keys = {"model.name", "training.seed", "dataset.seed", "run.images"}};
  EXPECT_EQ(render("csv", table),
            "row,control,model,training.seed,dataset.seed,run.images,seeds,n,images\n");
}

TEST(Csv, ADifferenceThatRoundsToZeroHasNoSign) {
  Table table{.columns = {{"clean", nullptr, {}}}};
  table.rows.push_back({.label = "NA", .cells = {{84.279, 84.28, 1}}});
  EXPECT_THAT(render("csv", table), HasSubstr("84.28,84.28,0.00\n"));
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
- cw: cw, confidence 0, step 4/255; success on the attacker 75.0 %, mean L2 0.250, mean Linf 0.1250.
- An attack with confidence 0 stops right behind the attacker's decision boundary: its examples hardly transfer, so read its column beside its L2 and its success on the attacker.
- Missing: 1 of 4 cells; the same sweep_runner command goes on with them.
- control, other, clean: mean over 1 of 2 seeds.
)");
}

TEST(Markdown, EscapesWhatWouldBreakTheTable) {
  Table table{.title = "a*b", .columns = {{"x|y", nullptr, {}}}};
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
cw: cw, confidence 0, step 4/255; success on the attacker 75.0 %, mean L2 0.250, mean Linf 0.1250.
An attack with confidence 0 stops right behind the attacker's decision boundary: its examples hardly
  transfer, so read its column beside its L2 and its success on the attacker.
Missing: 1 of 4 cells; the same sweep_runner command goes on with them.
control, other, clean: mean over 1 of 2 seeds.
)");
}

TEST(Text, LeavesOutThePaperWhereItHasNoColumn) {
  Table table{.title = "t", .columns = {{"λ", nullptr, {}}}};
  table.rows.push_back({.label = "NA", .seeds = {0}, .images = 1, .cells = {{50.0, {}, 1}}});
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
    table.columns.push_back({label, {{"method", "fgsm"}, {"epsilon", 8.0 / 255}}, {}});
  table.rows.push_back({.label = "control (NA, other seed)",
                        .control = true,
                        .seeds = {1},
                        .cells = std::vector<Cell>(6, {{}, 84.28, 0})});
  for (const auto& line : split(render("text", table), '\n')) EXPECT_LE(line.size(), 120U) << line;
}

TEST(Notes, SayWhenAnAdversarialSetIsMissing) {
  const Table table{.columns = {{"cw", {{"method", "cw"}, {"confidence", 40}}, {}}}};
  const std::string text = render("text", table);
  EXPECT_THAT(text, HasSubstr("cw: cw, confidence 40; its adversarial set is missing.\n"));
  EXPECT_THAT(text, Not(HasSubstr("confidence 0")));
}

}  // namespace
}  // namespace sweep::report
