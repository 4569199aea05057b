#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/error.hpp"
#include "core/log.hpp"
#include "runner/commands/app.hpp"

namespace sweep::commands {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// What `run` with these options says of them, before it looks for the file.
std::string complaint(std::vector<std::string> options) {
  options.insert(options.begin(), {"sweep_runner", "run", "no-such-file.toml"});
  std::vector<char*> arguments;
  for (auto& option : options) arguments.push_back(option.data());
  ::testing::internal::CaptureStderr();
  init_log("");
  const int status = Program().run(static_cast<int>(arguments.size()), arguments.data());
  EXPECT_EQ(status, static_cast<int>(ExitCode::bad_input));
  return ::testing::internal::GetCapturedStderr();
}

TEST(RunOptions, AndSetMustNotSayTheSameKey) {
  EXPECT_THAT(complaint({"--retries", "3", "--set", "run.retries = 2"}),
              AllOf(HasSubstr("--retries and --set run.retries = 2 both say what run.retries is"),
                    HasSubstr("leave one of them out")));
  EXPECT_THAT(complaint({"--fail-fast", "--set", "run.fail_fast=false"}),
              HasSubstr("--fail-fast and --set"));
  EXPECT_THAT(complaint({"--keep-going", "--set", "run.max_failures=2"}),
              HasSubstr("--keep-going and --set"));
}

TEST(RunOptions, OfDifferentKeysGoTogether) {
  EXPECT_THAT(complaint({"--retries", "3", "--max-failures", "2", "--keep-going", "--set",
                         "run.max_concurrent=2", "--set", "run.retries_of_mine=2"}),
              AllOf(Not(HasSubstr("both say")), HasSubstr("no-such-file.toml")));
}

}  // namespace
}  // namespace sweep::commands
