#pragma once

#include <gtest/gtest.h>

#include <fstream>

#include "tests/end_to_end/noop_sweep.hpp"
#include "tests/end_to_end/same_results.hpp"

namespace sweep::test_support {

/// The folder of a real run whose tasks do nothing: 11 artifacts, 6 cells.
class Upkeep : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(run_shell(command("")).status, 0); }

  std::string command(const std::string& arguments) const {
    return sweep_.command(arguments, R"({"results": true})");
  }

  Outcome runner(const std::string& arguments) const {
    return run_shell(concat((binaries() / "sweep_runner").string(), " ", arguments));
  }
  Outcome on_folder(const std::string& verb, const std::string& more = "") const {
    return runner(concat(verb, " ", sweep_.out().string(), " ", more));
  }
  std::filesystem::path some(const std::string& kind) const {
    return artifacts_of(sweep_.out()).lower_bound(kind + "/")->second;
  }
  static void damage(const std::filesystem::path& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(600).put('\x7f');
  }
  void append(const char* name, const std::string& text) const {
    std::ofstream(sweep_.run_folder() / name, std::ios::app) << text;
  }

  NoopSweep sweep_{3};
};

}  // namespace sweep::test_support
