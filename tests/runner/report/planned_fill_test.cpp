// What aggregate_results --missing writes, read by the planner that sweep_runner uses.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/document.hpp"
#include "runner/plan/record.hpp"
#include "runner/report/load.hpp"
#include "runner/report/missing.hpp"
#include "tests/runner/plan/example.hpp"
#include "tests/runner/report/small_store.hpp"

namespace sweep::report {
namespace {

constexpr char kMore[] = R"(
[attacks.cw]
method = "cw"
confidence = 10
[grid]
"defence.lambda_n" = [0.1, 1]
"training.seed" = [0, 1]
[[include]]
"defence.name" = "none"
"training.seed" = [5, 6]
"training.milestones" = [[0.25], [0.5, 0.75]]
[[include]]
"model.name" = "resnet18"
"defence.lambda_a" = 0.3333333333333333
)";

using Hashes = std::set<std::string>;

Hashes evaluations_of(const plan::Graph& graph) {
  Hashes hashes;
  for (const auto& trial : graph.evaluations)
    for (const auto& [column, id] : trial) hashes.insert(id.hash);
  return hashes;
}

/// The record as of version 2, whose new keys are added where the planner does not write them yet.
Json record_of(const plan::Sweep& sweep, const plan::Graph& graph) {
  Json record = plan::plan_record(sweep, graph, "example.toml");
  record["version"] = 2;
  record.emplace("datasets", Json::array());
  Json& columns = record["table"]["columns"];
  Json resolved = Json::array();
  for (std::size_t c = 0; c < columns.size(); ++c) {
    columns[c].emplace("attacker", "");
    columns[c].emplace("pixels", "float32");
    resolved.push_back({{"label", columns[c]["label"]},
                        {"attack", sweep.table.columns[c].attack},
                        {"attacker", ""},
                        {"pixels", "float32"}});
  }
  record["resolved"].emplace("attackers", Json::object());
  record["resolved"].emplace("columns", resolved);
  for (std::size_t r = 0; r < sweep.table.rows.size(); ++r) {
    Json& row = record["table"]["rows"][r];
    row.emplace("group", "");
    row.emplace("baseline", false);
    for (std::size_t t = 0; t < sweep.table.rows[r].trials.size(); ++t) {
      row["trials"][t].emplace("spec", sweep.trials[sweep.table.rows[r].trials[t]].to_json());
      row["trials"][t].emplace("adversarial_sets", Json::object());
    }
  }
  return record;
}

class PlannedFill : public ::testing::Test {
 protected:
  PlannedFill() : sweep_(plan::example(kMore)), graph_(plan::example_graph(sweep_)) {
    files_.write_plan("example", record_of(sweep_, graph_).dump());
  }

  /// The graph of the sweep that --missing writes.
  plan::Graph filling_graph() {
    Artifacts artifacts(files_.store());
    const Plan read = load_plan(files_.store(), "example");
    const auto filling = filling_sweep(read, load_table(read, artifacts));
    const Document document = parse_toml(to_toml(filling.value()), "missing.toml");
    return plan::example_graph(plan::resolve_sweep(document, plan::built_in_catalogue()));
  }

  SmallStore files_;
  plan::Sweep sweep_;
  plan::Graph graph_;
};

TEST_F(PlannedFill, OfAnEmptyTableMakesTheSameArtifacts) {
  const Hashes all = evaluations_of(graph_);
  EXPECT_EQ(all.size(), 9U * 3U);
  EXPECT_EQ(evaluations_of(filling_graph()), all);
}

TEST_F(PlannedFill, MakesWhatIsMissingAndNothingElse) {
  const Hashes all = evaluations_of(graph_);
  // Two cells of one trial and all of another are left.
  const auto& first = graph_.evaluations.front();
  const auto& last = graph_.evaluations.back();
  const Hashes missing{first.at("cw").hash, last.at("clean").hash, last.at("cw").hash,
                       last.at("fgsm").hash};
  for (const auto& hash : all)
    if (!missing.contains(hash)) files_.write_evaluation(hash, 3);
  Hashes wanted;
  for (const auto& hash : evaluations_of(filling_graph()))
    if (!files_.store().contains({storage::ArtifactKind::evaluation, hash})) wanted.insert(hash);
  EXPECT_EQ(wanted, missing);
}

TEST_F(PlannedFill, TrainsNoModelThatIsNotNeeded) {
  for (const auto& hash : evaluations_of(graph_)) files_.write_evaluation(hash, 3);
  files_.remove_evaluation(graph_.evaluations.front().at("clean").hash);
  std::size_t models = 0;
  for (const auto& task : filling_graph().tasks)
    models += task.output.kind == storage::ArtifactKind::model ? 1 : 0;
  EXPECT_EQ(models, 1U);
}

}  // namespace
}  // namespace sweep::report
