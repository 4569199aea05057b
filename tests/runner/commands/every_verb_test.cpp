// What every verb owes to its user: a summary, an example, a manual page, a page in docs/howto and
// completion. A new verb that lacks one of them fails here.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "core/atomic_file.hpp"
#include "core/text.hpp"
#include "runner/command_line/completion.hpp"
#include "runner/command_line/man_page.hpp"
#include "runner/command_line/step_names.hpp"
#include "runner/commands/app.hpp"
#include "runner/commands/command.hpp"
#include "tests/end_to_end/program.hpp"

namespace sweep::commands {
namespace {

using test_support::run_shell;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const command_line::Usage& usage() {
  static const auto usage = Program().usage();
  return usage;
}

bool can_run(const std::string& program) {
  return run_shell("command -v " + program).status == 0;
}

TEST(EveryVerb, IsInTheUsage) {
  std::set<std::string> names;
  for (const auto& verb : usage().verbs) names.insert(verb.verb());
  for (const auto& [name, entry] : all()) EXPECT_THAT(names, Contains(name));
  for (const auto& step : command_line::kSteps) EXPECT_THAT(names, Contains(step.name));
}

TEST(EveryVerb, HasASummaryOfOneLineAndAnExample) {
  for (const auto& verb : usage().verbs) {
    EXPECT_THAT(verb.description, Not(IsEmpty())) << verb.name;
    EXPECT_THAT(verb.description, Not(HasSubstr("\n"))) << verb.name;
    const auto help = command_line::read_help(verb.footer);
    ASSERT_THAT(help.examples, Not(IsEmpty())) << verb.name << " has no example in its --help";
    EXPECT_THAT(join(help.examples.front(), "\n"), HasSubstr(verb.name));
  }
}

TEST(EveryVerb, SaysWhatItsOptionsAreFor) {
  for (const auto& verb : usage().verbs)
    for (const auto& argument : verb.arguments)
      EXPECT_THAT(argument.description, Not(IsEmpty()))
          << verb.name << " " << join(argument.names, ",") << argument.positional;
}

TEST(EveryVerb, HasAManualPageThatRoffUnderstands) {
  const test_support::TemporaryFolder folder;
  const auto pages = command_line::write_man_pages(usage(), "1", folder.path());
  EXPECT_EQ(pages.size(), usage().verbs.size() + 1);
  if (!can_run("groff")) GTEST_SKIP() << "groff is not installed";
  for (const auto& page : pages) {
    const auto outcome = run_shell(concat("groff -k -man -ww -z ", page.string()));
    EXPECT_EQ(outcome.status, 0) << page;
    EXPECT_EQ(outcome.output, "") << page;
  }
}

TEST(EveryVerb, HasAHowTo) {
  const auto folder = test_support::sources() / "docs/howto";
  const std::string contents = read_text(folder / "README.md");
  for (const auto& [name, entry] : all()) {
    EXPECT_TRUE(std::filesystem::exists(folder / (name + ".md"))) << "docs/howto/" << name << ".md";
    EXPECT_THAT(contents, HasSubstr(concat("[", name, "](", name, ".md)")));
  }
  for (const auto& step : command_line::kSteps)
    EXPECT_THAT(contents,
                HasSubstr(concat("[", step.name, "](../single_steps.md#", step.name, ")")));
}

TEST(EveryVerb, IsCompleted) {
  const std::string bash = command_line::bash_completion(usage(), kDefaultVerb);
  const std::string zsh = command_line::zsh_completion(usage(), kDefaultVerb);
  const auto has = [](const std::string& script, const std::string& text) {
    return script.find(text) != std::string::npos;  // scripts are too long for a matcher's message
  };
  for (const auto& verb : usage().verbs) {
    EXPECT_TRUE(has(bash, concat("\n    ", verb.verb(), ") echo '-h --help"))) << verb.name;
    const auto specs = zsh.find(concat("\n    ", verb.verb(), ")\n      specs=(\n"));
    ASSERT_NE(specs, std::string::npos) << verb.name;
    const std::string of_verb = zsh.substr(specs, zsh.find("\n      ) ;;", specs) - specs);
    for (const auto& argument : verb.arguments)
      for (const auto& name : argument.names)
        EXPECT_TRUE(has(of_verb, "'" + name) || has(of_verb, "'*" + name)) << verb.name << name;
  }
}

TEST(EveryVerb, ZshUnderstandsItsScript) {
  if (!can_run("zsh")) GTEST_SKIP() << "zsh is not installed";
  const test_support::TemporaryFolder folder;
  write_atomically(folder / "_sweep_runner", command_line::zsh_completion(usage(), kDefaultVerb));
  const auto outcome = run_shell(concat("zsh -n ", (folder / "_sweep_runner").string()));
  EXPECT_EQ(outcome.status, 0) << outcome.output;
}

/// Completes in a folder with a sweep file, another file and a folder.
class BashCompletion : public ::testing::Test {
 protected:
  BashCompletion() {
    write_atomically(folder_ / "script", command_line::bash_completion(usage(), kDefaultVerb));
    create_folders(folder_ / "work/sweeps");
    write_atomically(folder_ / "work/my sweep.toml", "");
    write_atomically(folder_ / "work/image.png", "");
  }

  /// What is offered for the last of the words that stand behind "sweep_runner".
  std::vector<std::string> offered(const std::vector<std::string>& words) const {
    std::string line = "COMP_WORDS=(sweep_runner";
    for (const auto& word : words) line += " '" + word + "'";
    line += concat("); COMP_CWORD=", words.size(), "\n");
    write_atomically(folder_ / "ask",
                     concat("set -u\nsource ", (folder_ / "script").string(), "\ncd ",
                            (folder_ / "work").string(), "\n", line,
                            "_sweep_runner\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n"));
    const auto outcome = run_shell(concat("bash --norc ", (folder_ / "ask").string()));
    EXPECT_EQ(outcome.status, 0) << outcome.output;
    auto lines = split(outcome.output, '\n');
    std::erase(lines, "");
    std::sort(lines.begin(), lines.end());
    return lines;
  }

  const test_support::TemporaryFolder folder_;
};

using Words = std::vector<std::string>;

TEST_F(BashCompletion, Verbs) {
  EXPECT_EQ(offered({"sta"}), (Words{"status"}));
  EXPECT_EQ(offered({"se"}), (Words{"set-priority"}));
  const auto all_offered = offered({""});
  for (const auto& verb : usage().verbs) EXPECT_THAT(all_offered, Contains(verb.verb()));
  EXPECT_THAT(all_offered, Contains("my sweep.toml"));  // the verb may be left out
  EXPECT_THAT(all_offered, Not(Contains("image.png")));
}

TEST_F(BashCompletion, Options) {
  EXPECT_EQ(offered({"status", "--wa"}), (Words{"--watch"}));
  EXPECT_EQ(offered({"--print"}), (Words{"--print-config"}));
  EXPECT_EQ(offered({"attack", "--eps"}), (Words{"--eps", "--epsilon"}));
  EXPECT_EQ(offered({"status", "--print"}), Words{});
}

TEST_F(BashCompletion, Choices) {
  EXPECT_EQ(offered({"run", "--progress", "l"}), (Words{"live"}));
  EXPECT_EQ(offered({"--progress", "=", "p"}), (Words{"plain"}));
  EXPECT_EQ(offered({"--progress", "="}), (Words{"auto", "json", "live", "plain"}));
  EXPECT_EQ(offered({"list", "--state", "done,fa"}), (Words{"done,failed"}));
  EXPECT_EQ(offered({"logs", "3", "--task", "eva"}), (Words{"evaluation"}));
  EXPECT_EQ(offered({"describe", "att"}), (Words{"attacks"}));
  EXPECT_EQ(offered({"completion", ""}), (Words{"bash", "zsh"}));
  EXPECT_EQ(offered({"man", "stat"}), (Words{"status"}));
  EXPECT_EQ(offered({"train", "--arch", "resnet1"}), (Words{"resnet18"}));
}

TEST_F(BashCompletion, FilesAndFolders) {
  EXPECT_EQ(offered({"run", ""}), (Words{"my sweep.toml", "sweeps"}));
  EXPECT_EQ(offered({"run", "--out", ""}), (Words{"sweeps"}));
  EXPECT_EQ(offered({"import", ""}), (Words{"sweeps"}));
  EXPECT_EQ(offered({"data", "x.toml", "--sheet", "i"}), (Words{"image.png"}));
  EXPECT_EQ(offered({"run", "--np", ""}), Words{});  // a number
  EXPECT_EQ(offered({"status", "--json", ""}), (Words{"sweeps"}));
}

TEST(Man, IsPrinted) {
  const std::string program = (test_support::binaries() / "sweep_runner").string();
  const auto page = run_shell(program + " man status");
  EXPECT_EQ(page.status, 0);
  EXPECT_THAT(page.output, HasSubstr(".SH NAME\nsweep_runner\\-status"));
  EXPECT_THAT(run_shell(program + " man").output, HasSubstr(".SH VERBS"));
  EXPECT_THAT(run_shell(program + " man attack").output, HasSubstr("\\-\\-eps"));
  EXPECT_EQ(run_shell(program + " man stats").status, 2);
  EXPECT_THAT(run_shell(program + " man stats").output, HasSubstr("did you mean 'status'?"));
}

TEST(CompletionVerb, PrintsAndWrites) {
  const test_support::TemporaryFolder folder;
  const std::string program = (test_support::binaries() / "sweep_runner").string();
  const auto printed = run_shell(program + " completion bash");
  EXPECT_EQ(printed.status, 0);
  EXPECT_EQ(printed.output, command_line::bash_completion(usage(), kDefaultVerb));
  EXPECT_EQ(run_shell(concat(program, " completion zsh --out ", (folder / "a/b").string())).status,
            0);
  EXPECT_EQ(read_text(folder / "a/b"), command_line::zsh_completion(usage(), kDefaultVerb));
  EXPECT_EQ(run_shell(program + " completion fish").status, 2);
}

}  // namespace
}  // namespace sweep::commands
