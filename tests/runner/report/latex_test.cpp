#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "core/atomic_file.hpp"
#include "core/text.hpp"
#include "runner/report/format.hpp"
#include "runner/report/latex_text.hpp"
#include "tests/runner/report/tables.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::report {
namespace {

using ::testing::HasSubstr;

TEST(LatexText, EscapesEverySpecialLetter) {
  EXPECT_EQ(latex_text("a&b%c$d#e_f{g}h"), "a\\&b\\%c{\\upshape\\char36}d\\#e\\_f\\{g\\}h");
  EXPECT_EQ(latex_text("~^\\"), "\\~{}\\^{}\\textbackslash{}");
  EXPECT_EQ(latex_text("<|>"), "$<$$|$$>$");
  EXPECT_EQ(latex_text("two\nlines\x1b"), "two lines ");
}

TEST(LatexText, KnowsSymbols) {
  EXPECT_EQ(latex_text("R + L_n + L_a"), "R + $L_n$ + $L_a$");
  EXPECT_EQ(latex_text("lambda_n L_nn"), "lambda\\_n L\\_nn");
  EXPECT_EQ(latex_text("λ ±"), "$\\lambda$ $\\pm$");
}

TEST(LatexText, NamesLettersThatTheFontsLack) {
  EXPECT_EQ(latex_text("Ünal"), "Ünal");
  EXPECT_EQ(latex_text("中 Þ 😀"), "[U+4E2D] [U+00DE] [U+1F600]");
}

/// Everything that may stand in a table, also what LaTeX would take as a command.
Table paper_table() {
  const auto epsilon = [](const char* method, double steps_of_255) {
    return Json{{"method", method}, {"epsilon", steps_of_255 / 255}};
  };
  Json ifgsm = epsilon("ifgsm", 4);
  ifgsm["steps"] = 10;
  Json ifgsm_8 = epsilon("ifgsm", 8);
  ifgsm_8["steps"] = 10;
  Table table{.name = "t", .title = "100 % of L_n & {\\input{x}} 中"};
  table.columns = {
      {.label = "clean", .attack = nullptr},
      {.label = "fgsm_4", .attack = epsilon("fgsm", 4)},
      {.label = "fgsm_8", .attack = epsilon("fgsm", 8)},
      {.label = "ifgsm_4", .attack = ifgsm},
      {.label = "ifgsm_8", .attack = ifgsm_8},
      {.label = "cw", .attack = {{"method", "cw"}, {"confidence", 10}}},
      {.label = "white", .attack = ifgsm, .attacker = "self", .pixels = "uint8"},
  };
  for (const auto& [label, group] : {std::pair{"NA", ""},
                                     {"R + L_n", "Reformer"},
                                     {"* HGD_x", "HGD* [9]"},
                                     {"[0.1] \\relax $x^2$ #1 ~", "HGD* [9]"}})
    table.rows.push_back({.label = label,
                          .group = group,
                          .control = std::string(label) == "NA",
                          .seeds = {0, 1},
                          .cells = std::vector<Cell>(7, cell_of(843, 1000, 84.28))});
  table.rows[1].cells[2] = {};
  table.rows[1].cells[3] = cell_of(10, 1000, 84.28);
  return table;
}

std::string latex(const Table& table, const View& view = {}) {
  return FormatRegistry::instance().at("latex").make.render({&table, 1}, view);
}

TEST(Latex, LooksLikeTheTablesOfThePaper) {
  const std::string text = latex(paper_table());
  EXPECT_THAT(
      text,
      HasSubstr("Defence & $n$ & \\multicolumn{1}{c}{Clean} & \\multicolumn{2}{c}{FGSM} & "
                "\\multicolumn{2}{c}{IFGSM10} & \\multicolumn{1}{c}{C\\&W} & "
                "\\multicolumn{1}{c}{IFGSM10, white-box, 8 bit} \\\\\n"
                "\\cline{4-5}\\cline{6-7}\n"
                " &  &  & $\\epsilon = 4$ & $\\epsilon = 8$ & $\\epsilon = 4$ & $\\epsilon = 8$ & "
                "$\\kappa = 10$ & $\\epsilon = 4$ \\\\\n\\hline\n"));
  EXPECT_THAT(text,
              HasSubstr("\\multicolumn{9}{l}{\\textit{Reformer}} \\\\\n"
                        "{}R + $L_n$ & 1 & 84.30 \\published{84.28} & 84.30 \\published{84.28} "
                        "& missing & "));
}

TEST(Latex, ComparesOnDemand) {
  const std::string text = latex(paper_table(), {.compare = true});
  EXPECT_THAT(text, HasSubstr("84.30 \\published{$+0.02$} & "));
  EXPECT_THAT(text, HasSubstr("1.00 \\published{$-83.28$}$^\\dagger$ & "));
}

TEST(Latex, ColumnsThatLookAlikeShowTheirLabels) {
  Table table{.title = "t"};
  table.columns = {{.label = "a_1", .attack = {{"method", "cw"}, {"confidence", 0}}},
                   {.label = "a_2", .attack = {{"method", "cw"}, {"confidence", 0}}}};
  EXPECT_THAT(latex(table), HasSubstr("& \\multicolumn{2}{c}{C\\&W} \\\\\n"
                                      "\\cline{2-3}\n & $a_1$ & $a_2$ \\\\"));
}

TEST(Latex, IsCompiledByPdflatex) {
  if (std::system("command -v pdflatex > /dev/null 2>&1") != 0)
    GTEST_SKIP() << "pdflatex is not installed";
  Table large = paper_table();
  for (int i = 0; i < 60; ++i) large.rows.push_back(large.rows[1]);
  const std::vector<Table> tables{paper_table(), large, Table{.title = "empty"}};
  for (const bool compare : {false, true}) {
    const test_support::TemporaryFolder folder;
    write_atomically(folder / "t.tex",
                     FormatRegistry::instance().at("latex").make.render(
                         tables, {.std = true, .intervals = true, .compare = compare}));
    EXPECT_EQ(
        std::system(concat("cd '", folder.path().string(),
                           "' && pdflatex -halt-on-error -interaction=nonstopmode t.tex > out")
                        .c_str()),
        0)
        << read_text(folder / "out");
    EXPECT_TRUE(std::filesystem::exists(folder / "t.pdf"));
  }
}

}  // namespace
}  // namespace sweep::report
