#include "cluster/mpirun.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>

#include "core/atomic_file.hpp"
#include "core/text.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::cluster {
namespace {

/// A shell script in the place of mpirun.
class Mpirun : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* path = ::getenv("PATH");
    path_ = path == nullptr ? "" : path;
    ::setenv("PATH", concat(folder_.path().string(), ":", path_).c_str(), 1);
  }
  void TearDown() override { ::setenv("PATH", path_.c_str(), 1); }

  int run(const std::string& script) {
    write_atomically(folder_ / "mpirun", concat("#!/bin/bash\n", script));
    std::filesystem::permissions(folder_ / "mpirun", std::filesystem::perms::owner_all);
    return run_mpirun(2, {"unused"}, std::chrono::seconds(1));
  }

 private:
  sweep::test_support::TemporaryFolder folder_;
  std::string path_;
};

TEST_F(Mpirun, ThatWaitsForADeadRankIsEnded) {
  EXPECT_EQ(run("sleep 30 > /dev/null 2>&1 & sleep 1 & wait $!; exec sleep 30\n"), 75);
}

TEST_F(Mpirun, WhoseRanksLiveIsLeftAlone) {
  EXPECT_EQ(run("sleep 3 & sleep 3 & wait; exit 7\n"), 7);
}

TEST_F(Mpirun, WhoseRanksHaveNotStartedIsLeftAlone) {
  EXPECT_EQ(run("sleep 3; exit 7\n"), 7);
}

}  // namespace
}  // namespace sweep::cluster
