#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>

#include "core/document.hpp"
#include "tests/runner/report/small_store.hpp"

namespace sweep::report {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Outcome {
  int code = -1;
  std::string output;  ///< standard output and standard error
};

/// Runs the program that ships, from `folder`.
Outcome aggregate(const SmallStore& files, const std::string& arguments) {
  const std::string command =
      concat("cd '", files.root().string(), "' && '", AGGREGATE_RESULTS, "' ", arguments, " 2>&1");
  Outcome outcome;
  FILE* pipe = ::popen(command.c_str(), "r");
  for (int letter; (letter = std::fgetc(pipe)) != EOF;) outcome.output += static_cast<char>(letter);
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) outcome.code = WEXITSTATUS(status);
  return outcome;
}

void expect_refused(const SmallStore& files, const std::string& arguments, const std::string& why) {
  const auto [code, output] = aggregate(files, arguments);
  EXPECT_EQ(code, 2) << arguments;
  EXPECT_THAT(output, HasSubstr(why)) << arguments;
}

TEST(AggregateResults, PrintsTheTableOfTheFolder) {
  const SmallStore files;
  files.write_all();
  const auto [code, output] = aggregate(files, ".");
  EXPECT_EQ(code, 0);
  EXPECT_THAT(output, StartsWith("A small table\n"));
}

TEST(AggregateResults, WritesAFileInTheFormatOfItsExtension) {
  const SmallStore files;
  files.write_all();
  const auto [code, output] = aggregate(files, ". --out table.md");
  EXPECT_EQ(code, 0);
  EXPECT_EQ(output, "wrote table.md (small: 2 rows, 2 columns, 0 of 4 cells missing)\n");
  EXPECT_THAT(read_text(files.root() / "table.md"), StartsWith("## A small table\n"));
  EXPECT_EQ(aggregate(files, ". --out plain").code, 0);
  EXPECT_THAT(read_text(files.root() / "plain"), StartsWith("row,control,"));
}

TEST(AggregateResults, StrictNamesWhatIsMissing) {
  const SmallStore files;
  files.write_all();
  EXPECT_EQ(aggregate(files, ". --strict").code, 0);
  files.remove_evaluation("na.cw");
  files.remove_evaluation("c1.clean");
  EXPECT_EQ(aggregate(files, ".").code, 0);
  const auto [code, output] = aggregate(files, ". --strict --out table.csv");
  EXPECT_EQ(code, 1);
  EXPECT_THAT(output, HasSubstr("small: NA, cw: missing\n"));
  EXPECT_THAT(output, HasSubstr("small: control, other, clean: mean over 1 of 2 seeds\n"));
  EXPECT_TRUE(std::filesystem::exists(files.root() / "table.csv"));
}

TEST(AggregateResults, ReportsDamagedArtifacts) {
  const SmallStore files;
  files.write_all();
  write_atomically(files.write_evaluation("na.cw", 0), "not an artifact");
  const auto [code, output] = aggregate(files, ". --format csv");
  EXPECT_EQ(code, 0);
  EXPECT_THAT(output, HasSubstr("evaluation na.cw can't be used and counts as missing"));
  EXPECT_THAT(output, HasSubstr(",75.00,84.28,-9.28,"));
}

TEST(AggregateResults, TakesOneOfSeveralSweeps) {
  const SmallStore files;
  files.write_all();
  Json other = SmallStore::plan();
  other["table"]["title"] = "Another table";
  files.write_plan("other", other.dump());
  const auto [code, output] = aggregate(files, ".");
  EXPECT_EQ(code, 0);
  EXPECT_THAT(output, StartsWith("Another table\n"));
  EXPECT_THAT(output, HasSubstr("\n\nA small table\n"));
  EXPECT_THAT(aggregate(files, ". --table small").output, StartsWith("A small table\n"));
  EXPECT_EQ(aggregate(files, ". --table small --out small.csv").code, 0);
  expect_refused(files, ". --out table.csv", "choose with --table: other, small");
  expect_refused(files, ". --table smal", "did you mean 'small'?");
}

TEST(AggregateResults, PutsSeveralTablesIntoOneFileWhereTheFormatCan) {
  const SmallStore files;
  files.write_all();
  files.write_plan("other", SmallStore::plan().dump());
  files.write_plan("third", SmallStore::plan().dump());
  EXPECT_EQ(aggregate(files, ". --table other --table small --out two.json").output,
            "wrote two.json (2 tables, 0 of 8 cells missing)\n");
  const Json json = Json::parse(read_text(files.root() / "two.json"));
  EXPECT_EQ(json.at("tables").size(), 2U);
  EXPECT_EQ(json.at("tables").at(0).at("name"), "other");
  EXPECT_EQ(aggregate(files, ". --table all --out all.tex").code, 0);
  expect_refused(files, ". --table other --table small --out two.csv",
                 "'.' has the tables of 2 sweeps (such a file holds one)");
  EXPECT_THAT(aggregate(files, ". --format csv").output, HasSubstr("\n\nrow,control,"));
}

TEST(AggregateResults, TakesSeveralFolders) {
  const SmallStore files, others;
  files.write_all();
  others.write_plan("small", SmallStore::plan().dump());
  const std::string other = others.root().string();
  const auto [code, output] = aggregate(files, concat(". ", other, " --table small"));
  EXPECT_EQ(code, 0);
  EXPECT_THAT(output, StartsWith("A small table (.)\n"));
  EXPECT_THAT(output, HasSubstr(concat("\nA small table (", other, ")\n")));
  expect_refused(files, concat(". ", other, " --table smal"),
                 concat("has run in '.', '", other, "' (did you mean 'small'?)"));
}

TEST(AggregateResults, ShowsWhatIsAskedFor) {
  const SmallStore files;
  files.write_all();
  EXPECT_THAT(aggregate(files, ". --compare").output, HasSubstr("difference  inside"));
  EXPECT_THAT(aggregate(files, ". --intervals").output, HasSubstr("75.00 [30.06, 95.44]"));
  EXPECT_THAT(aggregate(files, ". --stat mean,std,ci95").output,
              HasSubstr("87.50 ± 17.68 [-71.33"));
  EXPECT_THAT(aggregate(files, ". --stat success").output, HasSubstr("100.00"));
  EXPECT_THAT(aggregate(files, ". --group-by training.seed,model.name").output,
              HasSubstr("training.seed=1, model.name=resnet18"));
}

TEST(AggregateResults, WritesASweepForTheMissingCells) {
  const SmallStore files;
  files.write_all();
  const auto nothing = aggregate(files, ". --missing rest.toml");
  EXPECT_EQ(nothing.code, 0);
  EXPECT_THAT(nothing.output, HasSubstr("no cell is missing: rest.toml was not written"));
  EXPECT_FALSE(std::filesystem::exists(files.root() / "rest.toml"));
  files.remove_evaluation("c2.cw");
  const auto [code, output] = aggregate(files, ". --missing rest.toml --group-by training.seed");
  EXPECT_EQ(code, 0);
  EXPECT_THAT(output, HasSubstr("wrote rest.toml: run it with sweep_runner rest.toml --out ."));
  const Json sweep = read_toml(files.root() / "rest.toml").root;
  EXPECT_EQ(sweep.at("include").at(0).at("training.seed"), 2);
  files.write_plan("other", SmallStore::plan().dump());
  expect_refused(files, ". --missing rest.toml",
                 "2 tables have missing cells (a sweep file fills one); choose with --table: "
                 "other, small");
}

TEST(AggregateResults, RefusesBadInput) {
  const SmallStore files;
  expect_refused(files, "", "there is no folder 'results'");
  expect_refused(files, ".", "no sweep has run in '.'");
  files.write_all();
  expect_refused(files, ". --format jsn", "unknown output format 'jsn' (did you mean 'json'?)");
  expect_refused(files, ". --out table.docx", "unknown output format 'docx'");
  expect_refused(files, ". --out nowhere/table.csv", "nowhere/table.csv");
  expect_refused(files, ". --no-such-option", "--no-such-option");
  expect_refused(files, ". --stat acuracy",
                 "unknown word 'acuracy' in --stat (did you mean 'accuracy'?)");
  expect_refused(files, ". --stat success,mean_l2",
                 "--stat has the metrics 'success' and 'mean_l2' (a table shows one)");
  expect_refused(files, ". --compare --stat mean_l2", "--compare does not go with --stat mean_l2");
  expect_refused(files, ". --group-by training.sed", "did you mean 'training.seed'?");
  expect_refused(files, ". --missing nowhere/rest.toml --table nothing",
                 "no sweep named 'nothing'");
  files.write_plan("small", "{");
  expect_refused(files, ".", "is damaged");
}

TEST(AggregateResults, ExplainsItself) {
  const SmallStore files;
  const auto help = aggregate(files, "--help");
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.output, HasSubstr("aggregate_results --table table1 --out table1.csv"));
  const auto version = aggregate(files, "--version");
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.output, HasSubstr("."));
}

}  // namespace
}  // namespace sweep::report
