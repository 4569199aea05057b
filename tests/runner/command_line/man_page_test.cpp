#include "runner/command_line/man_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "tests/support/message_of.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::command_line {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Usage program() {
  Usage look{.name = "program look",
             .description = "Looks at what's there",
             .group = "Look",
             .footer = "\n.dots and 'quotes' and back\\slashes\n\n  program look C:\\x '*.h5'\n",
             .arguments = {{.names = {"-C", "--dir"},
                            .positional = "dir",
                            .value = "DIR",
                            .default_value = "results",
                            .description = "The folder"},
                           {.names = {"--watch"}, .value = "SECONDS", .flag = true},
                           {.names = {"--view"}, .value = "VIEW", .choices = {"auto", "live"}}}};
  Usage go{.name = "program go", .description = "Goes", .group = "Run"};
  Usage show{.name = "program show", .description = "Shows", .group = "Look"};
  return {.name = "program", .description = "Does it.", .verbs = {look, go, show}};
}

TEST(ManPage, HasEverySection) {
  const std::string page = man_page(program(), "look", "1.2");
  EXPECT_THAT(page, HasSubstr(".TH PROGRAM\\-LOOK 1 \"\" \"sweep_runner 1.2\""));
  EXPECT_THAT(page, HasSubstr(".SH NAME\nprogram\\-look \\- Looks at what\\(aqs there\n"));
  EXPECT_THAT(page, HasSubstr("\\fBprogram look\\fR [\\fIOPTION\\fR]... [\\fIDIR\\fR]\n"));
  EXPECT_THAT(page, HasSubstr("\\fB\\-C\\fR, \\fB\\-\\-dir\\fR \\fIDIR\\fR\nThe folder\n"));
  EXPECT_THAT(page, HasSubstr("default results"));
  EXPECT_THAT(page, HasSubstr("\\fB\\-\\-watch\\fR[=\\fISECONDS\\fR]\n"));
  EXPECT_THAT(page, HasSubstr("one of auto, live"));
  EXPECT_THAT(page, HasSubstr(".SH EXAMPLES\n"));
  EXPECT_THAT(page, HasSubstr(".SH EXIT STATUS\n"));
  EXPECT_THAT(page, HasSubstr("\\fBprogram\\fR(1), \\fBprogram\\-show\\fR(1)\n"));
  EXPECT_THAT(page, Not(HasSubstr("program\\-go")));  // has another purpose
}

TEST(ManPage, NoTextIsTakenForACommandOfRoff) {
  const std::string page = man_page(program(), "look", "1.2");
  EXPECT_THAT(page, HasSubstr("\n\\&.dots and \\(aqquotes\\(aq and back\\eslashes\n"));
  EXPECT_THAT(page, HasSubstr("\nprogram look C:\\ex \\(aq*.h5\\(aq\n"));
}

TEST(ManPage, OfTheProgramListsTheVerbs) {
  const std::string page = man_page(program(), "", "1.2");
  EXPECT_THAT(page, HasSubstr(".SH NAME\nprogram \\- Does it\n"));
  EXPECT_THAT(page, HasSubstr(".SS Look\n.TP\n\\fBlook\\fR\nLooks at"));
  EXPECT_THAT(page, HasSubstr(".SS Run\n.TP\n\\fBgo\\fR\nGoes\n"));
}

TEST(ManPage, UnknownVerb) {
  EXPECT_THAT(
      test_support::message_of([] { man_page(program(), "lok", "1"); }, FailureType::bad_input),
      HasSubstr("no verb 'lok' (did you mean 'look'?)"));
}

TEST(ManPage, FilesOfAllPages) {
  const test_support::TemporaryFolder folder;
  const auto paths = write_man_pages(program(), "1.2", folder / "man/man1");
  ASSERT_EQ(paths.size(), 4U);
  EXPECT_EQ(paths[0], folder / "man/man1/program.1");
  EXPECT_EQ(read_text(folder / "man/man1/program-look.1"), man_page(program(), "look", "1.2"));
}

}  // namespace
}  // namespace sweep::command_line
