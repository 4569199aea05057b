#include "runner/commands/sweep_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace sweep::commands {
namespace {

engine::RunRequest parse(std::vector<std::string> arguments) {
  engine::RunRequest request;
  CLI::App app;
  add_sweep_options(app, request);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the end
  app.parse(arguments);
  return request;
}

TEST(SweepOptions, ArgumentsOfARequestMakeTheSameRequest) {
  const engine::RunRequest request{
      .sweep = {.file = "a b.toml",
                .overrides = {"training.epochs=3", "grid.\"training.seed\"=[0, 1]", "a='-x'"},
                .axes = {"model.name=resnet18,vgg11", "-k=1"},
                .seeds = "-3",
                .only = {"defence.name=none", "defence.lambda_n={min=0.1, max=1}"},
                .exclude = {"training.seed=1,2"},
                .max_trials = 7},
      .out = "out put"};
  const engine::RunRequest again = parse(sweep_arguments(request));
  EXPECT_EQ(again.sweep.file, request.sweep.file);
  EXPECT_EQ(again.sweep.overrides, request.sweep.overrides);
  EXPECT_EQ(again.sweep.axes, request.sweep.axes);
  EXPECT_EQ(again.sweep.seeds, request.sweep.seeds);
  EXPECT_EQ(again.sweep.only, request.sweep.only);
  EXPECT_EQ(again.sweep.exclude, request.sweep.exclude);
  EXPECT_EQ(again.sweep.max_trials, request.sweep.max_trials);
  EXPECT_EQ(again.out, request.out);
}

TEST(SweepOptions, HasAnArgumentForEveryOption) {
  engine::RunRequest request;
  CLI::App app;
  add_sweep_options(app, request);
  request.sweep = {.file = "x",
                   .overrides = {"a=1"},
                   .axes = {"a=1"},
                   .seeds = "1",
                   .only = {"a=1"},
                   .exclude = {"a=1"},
                   .max_trials = 1};
  const auto arguments = sweep_arguments(request);
  // A new option that is forgotten in sweep_arguments would be lost where mpirun is started.
  for (const auto* option : app.get_options()) {
    if (option->get_lnames().empty() || option->get_lnames().front() == "help") continue;
    const std::string start = "--" + option->get_lnames().front() + "=";
    EXPECT_TRUE(std::any_of(arguments.begin(), arguments.end(), [&](const auto& text) {
      return text.starts_with(start);
    })) << start;
  }
  EXPECT_EQ(app.get_options().size(), arguments.size() + 1) << "help";
}

}  // namespace
}  // namespace sweep::commands
