#include "runner/plan/record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text.hpp"
#include "tests/runner/plan/example.hpp"

namespace sweep::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Json record(const std::vector<std::string>& overrides = {}) {
  const Sweep sweep = example("", overrides);
  return plan_record(sweep, example_graph(sweep), "example.toml");
}

TEST(PlanRecord, ChangesNameKeyAndBothValues) {
  EXPECT_THAT(changes(record(), record()), IsEmpty());
  EXPECT_THAT(changes(record(), record({"training.epochs=5"})),
              UnorderedElementsAre("trials.base.training.epochs: 4 -> 5",
                                   "attacker.training.epochs: 4 -> 5"));
  EXPECT_THAT(changes(record(), record({"attacks.more={method='fgsm', epsilon=0.5}"})),
              UnorderedElementsAre("attacks.more.epsilon: (none) -> 0.5",
                                   "attacks.more.label_source: (none) -> \"true\"",
                                   "attacks.more.target: (none) -> \"none\"",
                                   "attacks.more.precision: (none) -> \"float32\"",
                                   "attacks.more.method: (none) -> \"fgsm\""));
}

TEST(PlanRecord, ATrialThatComesOrGoesIsOneLine) {
  const auto of = [](const char* seeds) {
    const Sweep sweep = example(concat("[grid]\n\"training.seed\" = ", seeds, "\n"));
    return plan_record(sweep, example_graph(sweep), "example.toml");
  };
  EXPECT_THAT(
      changes(of("[0, 1]"), of("[1, 2]")),
      UnorderedElementsAre("trials.training.seed=0: left out", "trials.training.seed=2: added"));
}

TEST(PlanRecord, HowToRunIsNoChange) {
  EXPECT_THAT(changes(record(), record({"run.threads=2"})), IsEmpty());
}

TEST(PlanRecord, NamesTheArtifactOfEveryCell) {
  const Sweep sweep = example();
  const Graph graph = example_graph(sweep);
  const Json table = plan_record(sweep, graph, "example.toml").at("table");
  EXPECT_EQ(table.at("columns")[1].at("adversarial_set"),
            graph.adversarial_sets[0].at("fgsm").hash);
  EXPECT_EQ(table.at("rows")[0].at("trials")[0].at("evaluations").at("clean"),
            graph.evaluations[0].at("clean").hash);
}

}  // namespace
}  // namespace sweep::plan
