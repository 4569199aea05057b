#include "runner/command_line/usage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace sweep::command_line {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Options {
  std::string dir = "results", view = "auto", watch, kind;
  std::vector<std::string> set, trials;
  int jobs = 0;
  bool json = false;
};

/// An app with an option of every sort.
void add_options(CLI::App& app, Options& options) {
  app.add_option("dir,-C,--dir", options.dir, "The folder")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("trials", options.trials, "Which")->type_name("TRIAL")->required();
  app.add_option("--view", options.view)->type_name("VIEW")->check(CLI::IsMember({"auto", "live"}));
  app.add_option("--kind", options.kind)->check(CLI::Validator(choices_text({"model", "set"})));
  app.add_option("--jobs", options.jobs)->type_name("N")->check(CLI::Range(1, 8));
  app.add_option("--set", options.set)->type_name("KEY=VALUE")->take_all();
  app.add_flag("--watch{2}", options.watch)->type_name("SECONDS");
  app.add_flag("--json", options.json, "For tools");
  app.add_flag("--secret", options.json)->group("");
}

const Argument& argument(const Usage& usage, const std::string& name) {
  for (const auto& candidate : usage.arguments)
    if (candidate.positional == name ||
        std::find(candidate.names.begin(), candidate.names.end(), name) != candidate.names.end())
      return candidate;
  throw std::runtime_error("no argument " + name);
}

class UsageOf : public ::testing::Test {
 protected:
  UsageOf() {
    add_options(*app_.add_subcommand("look", "Looks")->group("Look"), options_);
    usage_ = usage_of(app_);
  }
  const Usage& look() const { return usage_.verbs.at(0); }

  Options options_;
  CLI::App app_{"A program", "program"};
  Usage usage_;
};

TEST_F(UsageOf, NamesTheVerbs) {
  EXPECT_EQ(usage_.name, "program");
  ASSERT_THAT(usage_.verbs, SizeIs(1));
  EXPECT_EQ(look().name, "program look");
  EXPECT_EQ(look().verb(), "look");
  EXPECT_EQ(look().description, "Looks");
  EXPECT_EQ(look().group, "Look");
}

TEST_F(UsageOf, KnowsValuesAndDefaults) {
  const Argument& dir = argument(look(), "dir");
  EXPECT_THAT(dir.names, ElementsAre("-C", "--dir"));
  EXPECT_EQ(dir.value, "DIR");
  EXPECT_EQ(dir.default_value, "results");
  EXPECT_FALSE(dir.flag);
  EXPECT_FALSE(dir.required);
  EXPECT_TRUE(argument(look(), "trials").required);
  EXPECT_TRUE(argument(look(), "trials").repeatable);
  EXPECT_THAT(argument(look(), "trials").names, IsEmpty());
  EXPECT_TRUE(argument(look(), "--set").repeatable);
  EXPECT_FALSE(argument(look(), "--jobs").repeatable);
}

TEST_F(UsageOf, KnowsChoicesAndLimits) {
  EXPECT_THAT(argument(look(), "--view").choices, ElementsAre("auto", "live"));
  EXPECT_EQ(argument(look(), "--view").value, "VIEW");
  EXPECT_THAT(argument(look(), "--kind").choices, ElementsAre("model", "set"));
  EXPECT_EQ(argument(look(), "--jobs").limits, "[1 - 8]");
  EXPECT_THAT(argument(look(), "--jobs").choices, IsEmpty());
}

TEST_F(UsageOf, KnowsFlagsAndHidesTheHidden) {
  EXPECT_TRUE(argument(look(), "--json").flag);
  EXPECT_EQ(argument(look(), "--json").value, "");
  EXPECT_TRUE(argument(look(), "--watch").flag);
  EXPECT_EQ(argument(look(), "--watch").value, "SECONDS");
  EXPECT_THROW(argument(look(), "--secret"), std::runtime_error);
}

TEST_F(UsageOf, IsTheSameAfterJson) {
  const Json json = usage_;
  EXPECT_EQ(Json(json.get<Usage>()), json);
  EXPECT_EQ(json.get<Usage>().verbs.at(0).arguments.size(), look().arguments.size());
}

TEST(ReadHelp, TellsItsPartsApart) {
  const HelpText help = read_help(
      "\nOne text\nof two lines.\n\n  program look      as it is\n    --more\n\nMore.\n"
      "  program again\nExit status: 0 done;\n2 bad input.\n\nThe end.");
  EXPECT_THAT(help.paragraphs, ElementsAre("One text of two lines.", "More.", "The end."));
  EXPECT_THAT(help.examples, ElementsAre(ElementsAre("program look      as it is", "  --more"),
                                         ElementsAre("program again")));
  EXPECT_EQ(help.exit_status, "0 done; 2 bad input.");
}

}  // namespace
}  // namespace sweep::command_line
