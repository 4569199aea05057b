// Preprocessors, teachers, white-box columns and other attackers in sweep files and graphs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/runner/plan/example.hpp"
#include "tests/support/message_of.hpp"

namespace sweep::plan {
namespace {

using storage::ArtifactId;
using storage::ArtifactKind;
using test_support::message_of;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kHgd[] =
    "[preprocessor]\nname = \"hgd\"\n[preprocessor.hgd]\ntraining_attacks = [\"fgsm\"]\n";
constexpr char kWhiteBox[] =
    "[[table.column]]\nlabel = \"clean\"\n[[table.column]]\nlabel = \"transfer\"\nattack = "
    "\"fgsm\"\n[[table.column]]\nlabel = \"white\"\nattack = \"fgsm\"\nattacker = \"self\"\n";

std::vector<const Task*> tasks_of(const Graph& graph, ArtifactKind kind) {
  std::vector<const Task*> found;
  for (const auto& task : graph.tasks)
    if (task.output.kind == kind) found.push_back(&task);
  return found;
}

const Task& task_of(const Graph& graph, const ArtifactId& id) {
  return *std::find_if(graph.tasks.begin(), graph.tasks.end(),
                       [&](const Task& task) { return task.output == id; });
}

TEST(Preprocessor, IsNoneUnlessTheFileSaysOtherwise) {
  const Sweep sweep = example();
  EXPECT_EQ(sweep.trials.front().preprocessor, (Json{{"name", "none"}}));
  EXPECT_TRUE(tasks_of(example_graph(sweep), ArtifactKind::preprocessor).empty());
}

TEST(Preprocessor, IsTrainedOnceAndStandsBeforeEveryClassifier) {
  const Graph graph = example_graph(
      example("[grid]\n\"preprocessor.name\" = \"reformer\"\n\"defence.lambda_n\" = [0, 1]\n"));
  const auto made = tasks_of(graph, ArtifactKind::preprocessor);
  ASSERT_EQ(made.size(), 1U);
  EXPECT_THAT(made[0]->inputs, ElementsAre(graph.datasets.front()));
  for (const auto* task : tasks_of(graph, ArtifactKind::evaluation)) {
    EXPECT_THAT(task->inputs, Contains(made[0]->output));
    EXPECT_EQ(task->spec().at("preprocessor"), made[0]->output.hash);
  }
  for (const auto* task : tasks_of(graph, ArtifactKind::model))
    EXPECT_FALSE(task->spec().contains("preprocessor")) << "a classifier is trained without it";
}

TEST(Preprocessor, LearnsFromTheAttackersExamplesOfTheTrainingImages) {
  const Graph graph = example_graph(example(kHgd));
  const auto made = tasks_of(graph, ArtifactKind::preprocessor);
  ASSERT_EQ(made.size(), 1U);
  ASSERT_EQ(made[0]->inputs.size(), 3U);
  const Task& guide = task_of(graph, made[0]->inputs[1]);
  EXPECT_EQ(guide.spec().at("defence").at("name"), "none") << "the attacker";
  const Task& set = task_of(graph, made[0]->inputs[2]);
  EXPECT_EQ(set.spec().at("split"), "train");
  EXPECT_EQ(set.spec().at("model"), guide.output.hash);
  EXPECT_FALSE(set.spec().contains("preprocessor"));
}

TEST(Preprocessor, NameDependsOnWhatItsAttacksAreAndNotOnWhatTheyAreCalled) {
  const auto name = [](const std::vector<std::string>& overrides, const std::string& key) {
    const Graph graph = example_graph(
        example(concat("[preprocessor]\nname = \"hgd\"\ntraining_attacks = [\"", key, "\"]\n",
                       "[attacks.same]\nmethod = \"fgsm\"\nepsilon = \"4/255\"\n"),
                overrides));
    return tasks_of(graph, ArtifactKind::preprocessor).front()->output.hash;
  };
  EXPECT_EQ(name({}, "fgsm"), name({}, "same"));
  EXPECT_NE(name({}, "fgsm"), name({"attacks.fgsm.epsilon='8/255'"}, "fgsm"));
  EXPECT_NE(name({}, "fgsm"), name({"preprocessor.width=8"}, "fgsm"));
}

TEST(Preprocessor, RefusesAttacksThatAreNotThere) {
  EXPECT_THAT(message_of([] {
                example("[preprocessor]\nname = \"hgd\"\ntraining_attacks = [\"fgms\"]\n");
              }),
              AllOf(HasSubstr("example.toml:20:1"), HasSubstr("did you mean 'fgsm'")));
  EXPECT_THAT(message_of([] { example("[preprocessor]\nname = \"hgd\"\n"); }),
              HasSubstr("preprocessor.training_attacks is missing"));
  EXPECT_THAT(
      message_of([] { example("[preprocessor]\nname = \"hgd\"\ntraining_attacks = \"fgsm\"\n"); }),
      HasSubstr("it takes: list of texts"));
}

TEST(Preprocessor, MayBeTrainedOnAnAttackThatNoColumnShows) {
  const std::string columns = "[[table.column]]\nlabel = \"clean\"\n";
  EXPECT_NO_THROW(example(std::string(kHgd) + columns));
  EXPECT_THAT(message_of([&] { example(columns); }), HasSubstr("is in no column"));
}

TEST(PluginTables, CountWhereTheirPluginIsChosen) {
  const Sweep sweep = example(
      "[preprocessor.reformer]\nnoise = 0.1\nepochs = 7\n[preprocessor.hgd]\nwidth = 8\n"
      "training_attacks = [\"fgsm\"]\n[grid]\n\"preprocessor.name\" = [\"none\", \"reformer\", "
      "\"hgd\"]\n");
  EXPECT_EQ(sweep.trials[0].preprocessor, (Json{{"name", "none"}}));
  EXPECT_EQ(sweep.trials[1].preprocessor.at("noise"), 0.1);
  EXPECT_EQ(sweep.trials[1].preprocessor.at("epochs"), 7);
  EXPECT_EQ(sweep.trials[2].preprocessor.at("width"), 8);
  EXPECT_EQ(sweep.trials[2].preprocessor.at("epochs"), 20) << "not the reformer's";
}

TEST(PluginTables, AreCheckedWhetherTheyCountOrNot) {
  EXPECT_THAT(message_of([] { example("[preprocessor.reformer]\nnoize = 0.1\n"); }),
              AllOf(HasSubstr("unknown key preprocessor.reformer.noize"),
                    HasSubstr("did you mean 'noise'")));
  EXPECT_THAT(message_of([] { example("[preprocessor.reformre]\nnoise = 0.1\n"); }),
              HasSubstr("unknown key preprocessor.reformre"));
  EXPECT_THAT(message_of([] {
                example(
                    "[preprocessor]\nname = \"reformer\"\nnoise = 0.2\n"
                    "[preprocessor.reformer]\nnoise = 0.1\n");
              }),
              HasSubstr("which one holds?"));
  EXPECT_THAT(
      message_of([] {
        example("[preprocessor]\nname = \"reformer\"\n[preprocessor.reformer]\nnoise = 3\n");
      }),
      AllOf(HasSubstr("example.toml:21:1"), HasSubstr("out of range")));
}

TEST(WhiteBox, AttacksEveryTrialItself) {
  const Sweep sweep = example(std::string("[grid]\n\"defence.lambda_n\" = [0, 1]\n") + kWhiteBox);
  const Graph graph = example_graph(sweep);
  EXPECT_EQ(graph.adversarial_sets[0].at("transfer"), graph.adversarial_sets[1].at("transfer"));
  EXPECT_NE(graph.adversarial_sets[0].at("white"), graph.adversarial_sets[1].at("white"));
  for (std::size_t trial = 0; trial < 2; ++trial) {
    const Task& evaluation = task_of(graph, graph.evaluations[trial].at("white"));
    const Task& set = task_of(graph, graph.adversarial_sets[trial].at("white"));
    EXPECT_EQ(set.spec().at("model"), evaluation.spec().at("model"));
  }
}

TEST(WhiteBox, GoesThroughThePreprocessor) {
  const Graph graph =
      example_graph(example(std::string("[preprocessor]\nname = \"reformer\"\n") + kWhiteBox));
  const auto made = tasks_of(graph, ArtifactKind::preprocessor).front()->output;
  const auto preprocessor_of = [&](const char* label) {
    return task_of(graph, graph.adversarial_sets[0].at(label)).spec().value("preprocessor", "");
  };
  EXPECT_EQ(preprocessor_of("white"), made.hash);
  EXPECT_EQ(preprocessor_of("transfer"), made.hash)
      << "the attacker is the base, and so has the base's preprocessor";
  const Graph bare =
      example_graph(example(std::string("[preprocessor]\nname = \"reformer\"\n") + kWhiteBox,
                            {"attacker.preprocessor.name='none'"}));
  EXPECT_EQ(task_of(bare, bare.adversarial_sets[0].at("transfer")).spec().value("preprocessor", ""),
            "");
}

TEST(WhiteBox, CanBeSwitchedOff) {
  const auto labels = [](const std::vector<std::string>& overrides) {
    std::vector<std::string> shown;
    for (const auto& column : example(kWhiteBox, overrides).table.columns)
      shown.push_back(column.label);
    return shown;
  };
  EXPECT_THAT(labels({}), ElementsAre("clean", "transfer", "white"));
  EXPECT_THAT(labels({"table.white_box=false"}), ElementsAre("clean", "transfer"));
  EXPECT_THAT(message_of([&] { labels({"table.white_box='no'"}); }),
              HasSubstr("must be true or false"));
}

TEST(WhiteBox, IsSharedWithTheTransferOfTheAttackerItself) {
  const Graph graph =
      example_graph(example(std::string("[[include]]\ndefence.name = \"none\"\n") + kWhiteBox));
  EXPECT_EQ(graph.adversarial_sets[0].at("white"), graph.adversarial_sets[0].at("transfer"));
}

TEST(Attackers, MakeATransferMatrix) {
  const std::string text =
      "[attackers.one]\nmodel.name = \"resnet18\"\n[attackers.two]\nmodel.name = \"resnet34\"\n"
      "[grid]\n\"model.name\" = [\"resnet18\", \"resnet34\"]\n\"defence.name\" = \"none\"\n"
      "[[table.column]]\nlabel = \"from one\"\nattack = \"fgsm\"\nattacker = \"one\"\n"
      "[[table.column]]\nlabel = \"from two\"\nattack = \"fgsm\"\nattacker = \"two\"\n";
  const Graph graph = example_graph(
      example(text, {"attackers.one.defence.name='none'", "attackers.two.defence.name='none'"}));
  EXPECT_EQ(tasks_of(graph, ArtifactKind::model).size(), 2U) << "every attacker is a trial";
  EXPECT_EQ(tasks_of(graph, ArtifactKind::adversarial_set).size(), 2U);
  EXPECT_EQ(tasks_of(graph, ArtifactKind::evaluation).size(), 4U);
}

TEST(Attackers, RefusesThoseThatDoNotExistOrServeNothing) {
  const std::string column = "[[table.column]]\nlabel = \"x\"\nattack = \"fgsm\"\nattacker = ";
  EXPECT_THAT(message_of([&] { example("[attackers.one]\n" + column + "\"onee\"\n"); }),
              HasSubstr("did you mean 'one'"));
  EXPECT_THAT(message_of([&] { example("[attackers.one]\n"); }),
              HasSubstr("attackers.one is in no column"));
  EXPECT_THAT(message_of([&] { example("[attackers.self]\n" + column + "\"self\"\n"); }),
              HasSubstr("kept for white-box columns"));
  EXPECT_THAT(message_of([&] { example("[attackers]\none = 3\n" + column + "\"one\"\n"); }),
              HasSubstr("is a value"));
  EXPECT_THAT(
      message_of([&] { example("[[table.column]]\nlabel = \"clean\"\nattacker = \"self\"\n"); }),
      HasSubstr("has no attack"));
}

TEST(Pixels, AreThoseOfTheTableUnlessTheColumnSaysOtherwise) {
  const std::string text =
      "[[table.column]]\nlabel = \"a\"\nattack = \"fgsm\"\n[[table.column]]\nlabel = \"b\"\n"
      "attack = \"fgsm\"\npixels = \"float32\"\n";
  const auto columns = example(text, {"table.pixels='uint8'"}).table.columns;
  EXPECT_EQ(columns[0].pixels, "uint8");
  EXPECT_EQ(columns[1].pixels, "float32");
  const Graph graph = example_graph(example(text, {"table.pixels='uint8'"}));
  EXPECT_NE(graph.evaluations[0].at("a"), graph.evaluations[0].at("b"));
  EXPECT_EQ(graph.adversarial_sets[0].at("a"), graph.adversarial_sets[0].at("b"));
  for (const char* wrong : {"table.pixels='uint16'", "table.pixels=''"})
    EXPECT_THAT(message_of([&] { example(text, {wrong}); }), HasSubstr("uint8"));
}

TEST(Teacher, IsAModelLikeTheStudentWithItsOwnSeed) {
  const Graph graph = example_graph(
      example("[[include]]\ndefence.name = \"distillation\"\ndefence.temperature = 10\n"));
  const auto models = tasks_of(graph, ArtifactKind::model);
  ASSERT_EQ(models.size(), 3U) << "teacher, student, attacker";
  const Json teacher = models[0]->spec();
  EXPECT_EQ(teacher.at("defence"), (Json{{"name", "temperature"}, {"temperature", 10.0}}));
  EXPECT_EQ(teacher.at("training").at("seed"), 1000);
  EXPECT_EQ(models[1]->spec().at("teacher"), models[0]->output.hash);
  EXPECT_THAT(models[1]->inputs, Contains(models[0]->output));
}

TEST(Teacher, IsADefenceThatNeedsNone) {
  const auto refusal = [](const std::string& teacher) {
    return message_of([&] {
      example("[[include]]\ndefence.name = \"distillation\"\ndefence.teacher = \"" + teacher +
              "\"\n");
    });
  };
  EXPECT_THAT(refusal("distillation"), HasSubstr("needs a teacher itself"));
  EXPECT_THAT(refusal("temprature"), HasSubstr("did you mean 'temperature'"));
  EXPECT_THAT(refusal("pgd_training"), HasSubstr("needs the option epsilon"));
  EXPECT_NO_THROW(
      example("[[include]]\ndefence.name = \"distillation\"\ndefence.teacher = \"none\"\n"));
}

TEST(Rows, KnowGroupBaselineAndFractions) {
  const std::string grid = "[grid]\n\"defence.sigma\" = [\"4/255\", \"8/255\"]\n";
  const Table table =
      example(grid +
              "[[table.row]]\nlabel = \"a\"\ngroup = \"G\"\nbaseline = true\n"
              "where = { \"defence.sigma\" = \"4/255\" }\n"
              "[[table.row]]\nlabel = \"b\"\nwhere = { \"defence.sigma\" = \"8/255\" }\n")
          .table;
  EXPECT_EQ(table.rows[0].group, "G");
  EXPECT_TRUE(table.rows[0].baseline);
  EXPECT_THAT(table.rows[1].trials, ElementsAre(1U));
}

}  // namespace
}  // namespace sweep::plan
