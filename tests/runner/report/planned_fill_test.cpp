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
[[include]]
"preprocessor.name" = "hgd"
"preprocessor.training_attacks" = [["fgsm", "learnt"]]
[attacks.learnt]
method = "ifgsm"
epsilon = "4/255"
alpha_rel = 0.1
[attackers.other]
"training.seed" = 3
[[table.column]]
label = "clean"
[[table.column]]
label = "fgsm"
attack = "fgsm"
[[table.column]]
label = "cw"
attack = "cw"
attacker = "other"
[[table.column]]
label = "white-box"
attack = "cw"
attacker = "self"
pixels = "uint8"
)";

using Hashes = std::set<std::string>;

Hashes evaluations_of(const plan::Graph& graph) {
  Hashes hashes;
  for (const auto& trial : graph.evaluations)
    for (const auto& [column, id] : trial) hashes.insert(id.hash);
  return hashes;
}

class PlannedFill : public ::testing::Test {
 protected:
  PlannedFill() : sweep_(plan::example(kMore)), graph_(plan::example_graph(sweep_)) {
    files_.write_plan("example", plan::plan_record(sweep_, graph_, "example.toml").dump());
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
  EXPECT_EQ(all.size(), 10U * 4U);
  EXPECT_EQ(evaluations_of(filling_graph()), all);
}

TEST_F(PlannedFill, MakesWhatIsMissingAndNothingElse) {
  const Hashes all = evaluations_of(graph_);
  // Two cells of one trial and all of another are left.
  const auto& first = graph_.evaluations.front();
  const auto& last = graph_.evaluations.back();
  const Hashes missing{first.at("cw").hash, last.at("clean").hash, last.at("cw").hash,
                       last.at("fgsm").hash, last.at("white-box").hash};
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
