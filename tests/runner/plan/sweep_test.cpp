#include "runner/plan/sweep.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/runner/plan/example.hpp"
#include "tests/support/message_of.hpp"

namespace sweep::plan {
namespace {

using test_support::message_of;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Sweep, FillsInDefaults) {
  const Sweep sweep = example();
  ASSERT_EQ(sweep.trials.size(), 1U);
  const Trial& trial = sweep.trials.front();
  EXPECT_EQ(trial.defence.at("sigma"), 8.0 / 255);
  EXPECT_EQ(trial.training.at("batch_size"), 64);
  EXPECT_EQ(trial.training.at("learning_rate"), 0.01);
  EXPECT_EQ(trial.training.at("epochs"), 4);
  EXPECT_EQ(sweep.attacker.defence, (Json{{"name", "none"}}));
  EXPECT_EQ(sweep.attacks.at("fgsm").at("epsilon"), 4.0 / 255);
  EXPECT_EQ(sweep.run.shard_size, 256);
}

TEST(Sweep, GridIsTheCartesianProductAndIncludesAreAppended) {
  const Sweep sweep = example(
      "[grid]\n\"defence.lambda_n\" = [0, 1]\n\"training.seed\" = [0, 1, 2]\n"
      "[[include]]\ndefence.name = \"none\"\n");
  ASSERT_EQ(sweep.trials.size(), 7U);
  EXPECT_EQ(sweep.trials[0].defence.at("lambda_n"), 0);
  EXPECT_EQ(sweep.trials[1].training.at("seed"), 1) << "the last axis varies fastest";
  EXPECT_EQ(sweep.trials[5].defence.at("lambda_n"), 1);
  EXPECT_EQ(sweep.trials[6].defence, (Json{{"name", "none"}}))
      << "another defence drops the base's options";
}

TEST(Sweep, AnotherPluginKeepsTheOptionsThatItHas) {
  const Sweep sweep = example(
      "[grid]\n\"model.name\" = [\"resnet18\", \"vgg11\"]\n"
      "[[include]]\ndefence.name = \"none\"\n",
      {"model.normalize='half'"});
  EXPECT_EQ(
      sweep.trials.at(1).model,
      (Json{
          {"name", "vgg11"}, {"normalize", "half"}, {"weights", ""}, {"classifier_width", 4096}}));
  EXPECT_EQ(sweep.trials.at(2).defence, (Json{{"name", "none"}})) << "it has no lambda_n";
  EXPECT_THAT(refusal("[grid]\n\"model.name\" = [\"vgg11\"]\n", {"model.normalise='half'"}),
              HasSubstr("did you mean 'normalize'"))
      << "a mistake in the base must not vanish with it";
}

TEST(Sweep, OverridesReachEveryKey) {
  const Sweep sweep = example("", {"training.epochs=7", "attacks.fgsm.epsilon='8/255'",
                                   "grid.\"training.seed\"=[3, 4]", "run.threads=2"});
  EXPECT_EQ(sweep.trials.size(), 2U);
  EXPECT_EQ(sweep.trials[1].training.at("seed"), 4);
  EXPECT_EQ(sweep.trials[1].training.at("epochs"), 7);
  EXPECT_EQ(sweep.attacks.at("fgsm").at("epsilon"), 8.0 / 255);
  EXPECT_EQ(sweep.run.threads, 2);
}

TEST(Sweep, UnknownKeysNameTheNearest) {
  EXPECT_THAT(refusal("[trainin]\nepochs = 3\n"),
              AllOf(HasSubstr("example.toml:18"), HasSubstr("did you mean 'training'")));
  EXPECT_THAT(refusal("epsilom = 3\n"),
              AllOf(HasSubstr("example.toml:18"), HasSubstr("attacks.fgsm.epsilom"),
                    HasSubstr("did you mean 'epsilon'")));
  EXPECT_THAT(refusal("", {"run.thread=1"}), HasSubstr("did you mean 'threads'"));
}

TEST(Sweep, UnknownPluginsNameTheNearest) {
  EXPECT_THAT(refusal("", {"model.name='resnet8'"}), HasSubstr("resnet18"));
  EXPECT_THAT(refusal("", {"attacks.fgsm.method='fgsn'"}),
              AllOf(HasSubstr("attacks.fgsm.method"), HasSubstr("did you mean 'fgsm'")));
  EXPECT_THAT(refusal("[grid]\n\"defence.name\" = [\"none\", \"denoisin\"]\n"),
              AllOf(HasSubstr("example.toml:19:27"), HasSubstr("did you mean 'denoising'")));
}

TEST(Sweep, WrongTypesAndRanges) {
  EXPECT_THAT(refusal("", {"training.epochs='many'"}), HasSubstr("training.epochs"));
  EXPECT_THAT(refusal("", {"training.epochs=1.5"}), HasSubstr("training.epochs"));
  EXPECT_THAT(refusal("", {"training.epochs=0"}),
              AllOf(HasSubstr("training.epochs"), HasSubstr("out of range")));
  EXPECT_THAT(refusal("", {"attacks.fgsm.epsilon=-1"}),
              AllOf(HasSubstr("attacks.fgsm.epsilon"), HasSubstr("out of range")));
  EXPECT_THAT(refusal("[grid]\n\"training.momentum\" = [0.9, nan]\n"),
              HasSubstr("training.momentum"));
  EXPECT_THAT(refusal("", {"training=3"}), HasSubstr("[training]"));
}

TEST(Sweep, WeightsThatCannotBeRead) {
  EXPECT_THAT(refusal("[grid]\n\"model.weights\" = [\"\", \"/none/w.pth\"]\n"),
              AllOf(StartsWith("example.toml:19:24: model.weights = \"/none/w.pth\""),
                    HasSubstr("No such file")));
  EXPECT_THAT(refusal("", {"attacker.model.weights='/'"}), HasSubstr("no regular file"));
}

TEST(Sweep, WhatIsMissing) {
  Document document = example_document();
  document.root["attacks"]["fgsm"].erase("epsilon");
  EXPECT_THAT(message_of([&] { resolve_sweep(document, built_in_catalogue()); }),
              AllOf(HasSubstr("attacks.fgsm.epsilon"), HasSubstr("missing")));
  document = example_document();
  document.root.erase("dataset");
  EXPECT_THAT(message_of([&] { resolve_sweep(document, built_in_catalogue()); }),
              HasSubstr("dataset.name is missing"));
}

TEST(Sweep, GridsThatMakeNothingOrTheSameTwice) {
  EXPECT_THAT(refusal("[grid]\n"), HasSubstr("grid is empty"));
  EXPECT_THAT(refusal("[grid]\n\"training.seed\" = []\n"), HasSubstr("empty list"));
  EXPECT_THAT(refusal("[grid]\n\"training.seed\" = [1, 1]\n"), HasSubstr("twice"));
  EXPECT_THAT(
      refusal("[grid]\n\"defence.lambda_n\" = [1]\n[[include]]\n\"defence.lambda_n\" = 1.0\n"),
      HasSubstr("twice"));
  EXPECT_THAT(refusal("[grid]\n\"attacks.fgsm.epsilon\" = [1]\n"),
              HasSubstr("attacks.fgsm.epsilon"));
}

TEST(Sweep, NamesThatCannotBeFolders) {
  for (const std::string name : {"../x", "a/b", "", ".hidden", "with space"})
    EXPECT_THAT(refusal("", {"sweep.name='" + name + "'"}), HasSubstr("sweep.name")) << name;
}

}  // namespace
}  // namespace sweep::plan
