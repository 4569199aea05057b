#include "runner/plan/graph.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/atomic_file.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "tests/runner/plan/example.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::plan {
namespace {

using storage::ArtifactKind;

std::size_t count(const Graph& graph, ArtifactKind kind) {
  return static_cast<std::size_t>(
      std::count_if(graph.tasks.begin(), graph.tasks.end(),
                    [&](const Task& t) { return t.output.kind == kind; }));
}

std::vector<std::string> names(const Graph& graph) {
  std::vector<std::string> all;
  for (const auto& task : graph.tasks) all.push_back(task.output.hash);
  return all;
}

constexpr char kFour[] =
    "[grid]\n\"defence.lambda_n\" = [0, 1, 10]\n[[include]]\ndefence.name = \"none\"\n";

TEST(Graph, SharesEverythingThatIsTheSame) {
  const Graph graph = example_graph(example(kFour));
  EXPECT_EQ(count(graph, ArtifactKind::dataset), 1U);
  EXPECT_EQ(count(graph, ArtifactKind::model), 4U) << "the attacker is one of the trials";
  EXPECT_EQ(count(graph, ArtifactKind::adversarial_set), 1U);
  EXPECT_EQ(count(graph, ArtifactKind::evaluation), 8U);
}

TEST(Graph, InputsStandInFront) {
  const Graph graph = example_graph(example(kFour, {"run.shard_size=6"}));
  std::set<storage::ArtifactId> made;
  for (const auto& task : graph.tasks) {
    for (const auto& input : task.inputs) EXPECT_TRUE(made.contains(input)) << task.label;
    EXPECT_TRUE(made.insert(task.output).second) << task.label << " is made twice";
    EXPECT_GT(task.cost, 0) << task.label;
  }
}

TEST(Graph, ShardsCoverTheSetOnceAndDoNotChangeItsName) {
  const Graph whole = example_graph(example()),
              cut = example_graph(example("", {"run.shard_size=6"}));
  std::int64_t next = 0;
  for (const auto& task : cut.tasks) {
    if (task.output.kind != ArtifactKind::adversarial_shard) continue;
    EXPECT_EQ(task.spec().at("first"), next);
    EXPECT_TRUE(task.temporary);
    next += task.spec().at("count").get<std::int64_t>();
  }
  EXPECT_EQ(next, 20);
  EXPECT_EQ(whole.adversarial_sets, cut.adversarial_sets);
  EXPECT_EQ(whole.evaluations, cut.evaluations);
}

TEST(Graph, NamesDependOnWhatIsComputedAlone) {
  const auto base = names(example_graph(example()));
  EXPECT_EQ(names(example_graph(example("", {"run.threads=3", "run.retries=9", "sweep.name='x'"}))),
            base);
  for (const std::string change :
       {"training.epochs=5", "training.seed=1", "defence.lambda_n=0.5", "model.normalize='half'",
        "dataset.image_size=32", "attacks.fgsm.epsilon=0.1"})
    EXPECT_NE(names(example_graph(example("", {change}))), base) << change;
}

TEST(Graph, WhereADatasetLiesIsNoPartOfItsName) {
  const auto at = [](const std::string& root) {
    return example_graph(example("", {"dataset={name='skin4', root='" + root + "'}"}));
  };
  EXPECT_EQ(names(at("/a")), names(at("/b")));
  EXPECT_EQ(at("/a").tasks.front().locations.at("root"), "/a");
}

TEST(Graph, WeightsToStartFromAreKnownByTheirContent) {
  const sweep::test_support::TemporaryFolder folder;
  write_atomically(folder / "a.pth", "weights");
  write_atomically(folder / "same.pth", "weights");
  write_atomically(folder / "other.pth", "other");
  const auto from = [&](const std::string& file) {
    return example_graph(example("", {concat("model.weights='", (folder / file).string(), "'")}));
  };
  const auto without = example_graph(example("", {"model.weights=''"}));
  EXPECT_EQ(names(without), names(example_graph(example())));
  EXPECT_EQ(names(from("a.pth")), names(from("same.pth")));
  EXPECT_NE(names(from("a.pth")), names(from("other.pth")));
  EXPECT_NE(names(from("a.pth")), names(without));
  const Task task = from("a.pth").tasks.at(1);
  EXPECT_EQ(task.locations, (Json{{"weights", (folder / "a.pth").string()}}));
  EXPECT_EQ(task.spec().at("model").at("weights_sha256"), sha256("weights"));
  EXPECT_FALSE(task.spec().at("model").contains("weights"));
  EXPECT_EQ(without.tasks.at(1).spec().at("model"),
            (Json{{"name", "resnet18"}, {"normalize", "imagenet"}}));
}

TEST(Graph, AnotherSourceIsAnotherDataset) {
  const Sweep sweep = example();
  const Graph other = build_graph(sweep, built_in_catalogue(), [](const Json& dataset) {
    auto summary = stub_inspect(dataset);
    summary.source_fingerprint = "another";
    return summary;
  });
  for (const auto& name : names(other))
    EXPECT_THAT(names(example_graph(sweep)), ::testing::Not(::testing::Contains(name)));
}

TEST(Graph, LabelsSayWhatTellsTrialsApart) {
  const Graph graph = example_graph(example(kFour));
  std::vector<std::string> labels;
  for (const auto& task : graph.tasks)
    if (task.output.kind == ArtifactKind::model) labels.push_back(task.label);
  EXPECT_THAT(labels, ::testing::UnorderedElementsAre("train denoising lambda_n=0",
                                                      "train denoising lambda_n=1",
                                                      "train denoising lambda_n=10", "train none"));
}

}  // namespace
}  // namespace sweep::plan
