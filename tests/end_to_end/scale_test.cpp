// Many ranks on few cores, many trials: tasks that do nothing, everything around them as in
// production.

#include <gtest/gtest.h>

#include "tests/end_to_end/noop_sweep.hpp"

namespace sweep::test_support {
namespace {

class ManyRanks : public ::testing::TestWithParam<int> {};

TEST_P(ManyRanks, MakeEveryArtifactOnce) {
  const NoopSweep sweep(300);
  const Outcome outcome = run_shell(sweep.command(concat("--np ", GetParam())));
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  const auto times = sweep.times_made();
  EXPECT_EQ(times.size(), 902u);  // dataset, adversarial set, 300 models, 600 evaluations
  for (const auto& [artifact, count] : times) EXPECT_EQ(count, 1) << artifact;
  EXPECT_EQ(events(sweep.journal(), "rank").size(), static_cast<std::size_t>(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Scale, ManyRanks, ::testing::Values(1, 16, 64));

TEST(Scale, FailuresAndCrashesOnManyRanksLoseNothing) {
  const NoopSweep sweep(150);
  const std::string command = sweep.command("--np 16", R"({"failing": 0.05, "crashing": 0.05})");
  const Outcome first = run_shell(command);
  ASSERT_EQ(first.status, 1) << first.output;  // some fail twice
  int status = 1;
  for (int i = 0; i < 9 && status == 1; ++i) status = run_shell(command + " --retry-failed").status;
  EXPECT_EQ(status, 0);
  for (const auto& [artifact, count] : sweep.times_made()) EXPECT_EQ(count, 1) << artifact;
}

}  // namespace
}  // namespace sweep::test_support
