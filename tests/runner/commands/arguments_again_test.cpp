#include "runner/commands/arguments_again.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "runner/commands/command.hpp"

namespace sweep::commands {
namespace {

using ::testing::Contains;
using ::testing::ElementsAreArray;
using ::testing::Not;

/// The options of `run` as they were given, and those that are made of them again.
std::vector<std::string> again(std::vector<std::string> arguments) {
  const auto run = all().at("run").make();
  CLI::App app;
  run->add_options(app);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the end
  app.parse(arguments);
  return arguments_again(app, {"np"});
}

const std::vector<std::string> kArguments{"a b.toml",
                                          "--set=training.epochs=3",
                                          "--set=grid.\"training.seed\"=[0, 1]",
                                          "--set=a='-x'",
                                          "--axis=model.name=resnet18,vgg11",
                                          "--axis=-k=1",
                                          "--seeds=-3",
                                          "--only=defence.name=none",
                                          "--only=defence.lambda_n={min=0.1, max=1}",
                                          "--exclude=training.seed=1,2",
                                          "--max-trials=7",
                                          "--out=out put",
                                          "--retry-failed",
                                          "--keep-going",
                                          "--retries=4",
                                          "--max-failures=10%",
                                          "--progress=json",
                                          "--executor=/bin/true"};

TEST(ArgumentsAgain, NothingIsLost) {
  auto given = kArguments, made = again(kArguments);
  std::sort(given.begin(), given.end());
  std::sort(made.begin(), made.end());
  EXPECT_THAT(made, ElementsAreArray(given));
  auto twice = again(made);
  std::sort(twice.begin(), twice.end());
  EXPECT_EQ(twice, made);
}

TEST(ArgumentsAgain, ShortFormsBecomeOneArgumentEach) {
  EXPECT_THAT(again({"--set", "a=-1", "x.toml"}), ElementsAreArray({"x.toml", "--set=a=-1"}));
}

TEST(ArgumentsAgain, WhatIsLeftOutIsNotThere) {
  EXPECT_THAT(again({"--np=3", "x.toml"}), Not(Contains("--np=3")));
}

}  // namespace
}  // namespace sweep::commands
