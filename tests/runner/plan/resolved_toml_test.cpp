#include "runner/plan/resolved_toml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "runner/plan/record.hpp"
#include "runner/plan/request.hpp"
#include "tests/runner/plan/example.hpp"

namespace sweep::plan {
namespace {

namespace fs = std::filesystem;

/// Everything that a run is made of: artifacts, their order, the table, how to run.
Json everything(const Sweep& sweep) {
  const Graph graph = example_graph(sweep);
  Json record = plan_record(sweep, graph, "");
  Json& resolved = record.at("resolved");
  resolved.erase("attacks");  // those that nothing uses are left out
  resolved.erase("attackers");
  record["run"] = to_json(sweep.run);
  record["stopping"] = {sweep.early_stopping.rule, sweep.early_stopping.metric,
                        sweep.early_stopping.min_epochs, sweep.early_stopping.reduction,
                        sweep.early_stopping.grace};
  return record;
}

void expect_same_again(const Sweep& sweep) {
  const std::string text = resolved_toml(sweep);
  const Sweep again = resolve_sweep(parse_toml(text, "resolved.toml"), built_in_catalogue());
  EXPECT_EQ(everything(sweep), everything(again)) << text;
  EXPECT_EQ(text, resolved_toml(again));
}

TEST(ResolvedToml, OfEverySweepRunsTheSame) {
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(SWEEP_SOURCES) / "sweeps")) {
    if (entry.path().extension() != ".toml") continue;
    SCOPED_TRACE(entry.path().string());
    const Request all{.file = entry.path()};
    expect_same_again(read_sweep(all));
    Request part = all;
    part.overrides = {"table.white_box=false", "table.pixels='uint8'", "run.threads=3"};
    part.max_trials = 2;
    expect_same_again(read_sweep(part));
    Request undefended = all;
    undefended.only = {"defence.name=none"};
    expect_same_again(read_sweep(undefended));
    ++files;
  }
  EXPECT_GE(files, 12);
}

TEST(ResolvedToml, KeepsWhatTheGrammarCanSay) {
  expect_same_again(example());
  expect_same_again(example(
      "[grid]\n\"training.milestones\" = [[0.5, 0.75], [0.9]]\n\"model.name\" = [\"vgg11\", "
      "\"resnet18\"]\n[[zip]]\n\"defence.lambda_n\" = {from = 0.1, to = 0.3, step = 0.1}\n"
      "\"defence.lambda_a\" = [3, 2, 1]\n[[include]]\ndefence.name = \"none\"\n"
      "[[exclude]]\n\"model.name\" = \"vgg11\"\n\"defence.lambda_n\" = {max = 0.1}\n"
      "[[priority]]\nwhere = {\"defence.name\" = \"none\"}\nvalue = 3\n"
      "[search]\nearly_stopping = \"asha\"\nmetric = \"accuracy\"\nreduction = 4\n"
      "method = \"random\"\ntrials = 3\n[search.space]\n"
      "\"training.learning_rate\" = {from = 1e-4, to = 0.1, scale = \"log\"}\n"));
}

}  // namespace
}  // namespace sweep::plan
