#include "trainer/weights/start.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>

#include <regex>

#include "core/error.hpp"
#include "tests/support/message_of.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/module_state.hpp"
#include "trainer/weights/weights.hpp"

namespace sweep::trainer {
namespace {

using sweep::test_support::message_of;
using ::testing::AllOf;
using ::testing::HasSubstr;

NamedTensors state_from_seed(const std::string& name, std::int64_t classes, std::uint64_t seed) {
  const auto model = ModelRegistry::instance().at(name).make({{"normalize", "half"}}, classes);
  model->initialize(seed);
  return copied_to_cpu(state_of(model->module()));
}

class Start : public ::testing::Test {
 protected:
  /// The state of a model of seed 2 that starts from `weights`.
  NamedTensors started(const std::string& name, std::int64_t classes,
                       const NamedTensors& weights) const {
    write_safetensors(file_, weights);
    const auto model = ModelRegistry::instance().at(name).make({{"normalize", "half"}}, classes);
    model->initialize(2);
    start_from(file_, model->module(), name);
    return copied_to_cpu(state_of(model->module()));
  }

  std::string refusal(const NamedTensors& weights) const {
    const auto message = message_of([&] { started("resnet18", 3, weights); });
    EXPECT_THAT(message, HasSubstr(file_.string()));
    return message;
  }

  const sweep::test_support::TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "w.safetensors";
};

TEST_F(Start, TakesEveryTensor) {
  const auto weights = state_from_seed("resnet18", 3, 1);
  for (const auto& [name, tensor] : started("resnet18", 3, weights))
    EXPECT_TRUE(tensor.equal(weights.at(name))) << name;
}

TEST_F(Start, DrawsTheHeadOfAnotherNumberOfClassesFromTheSeed) {
  for (const auto& [model, head] : std::map<std::string, std::string>{
           {"resnet18", "fc"}, {"densenet121", "classifier"}, {"mobilenet_v2", "classifier.1"}}) {
    SCOPED_TRACE(model);
    const auto weights = state_from_seed(model, 5, 1), drawn = state_from_seed(model, 3, 2);
    const auto state = started(model, 3, weights);
    for (const auto& [name, tensor] : state)
      EXPECT_TRUE(tensor.equal((name.starts_with(head + ".") ? drawn : weights).at(name))) << name;
    EXPECT_EQ(state.at(head + ".bias").size(0), 3);
  }
}

/// A VGG's classifier, without the 100 million parameters.
struct ThreeLinear : torch::nn::Module {
  explicit ThreeLinear(std::int64_t classes) {
    torch::nn::Sequential classifier;
    for (const auto& [name, width] : {std::pair("0", 4), std::pair("3", 4)})
      classifier->push_back(name, torch::nn::Linear(4, width));
    classifier->push_back("6", torch::nn::Linear(4, classes));
    register_module("classifier", classifier);
  }
};

TEST_F(Start, TheHeadIsTheLastLinearLayer) {
  const ThreeLinear from(5);
  ThreeLinear to(3);
  const auto drawn = copied_to_cpu(state_of(to));
  write_safetensors(file_, state_of(from));
  start_from(file_, to, "three");
  for (const auto& [name, tensor] : state_of(to))
    EXPECT_TRUE(tensor.equal((name.starts_with("classifier.6.") ? drawn : state_of(from)).at(name)))
        << name;
}

TEST_F(Start, TakesHalfPrecisionAndMissingCounters) {
  auto weights = state_from_seed("resnet18", 3, 1);
  std::erase_if(weights, [](const auto& item) { return item.first.ends_with("batches_tracked"); });
  EXPECT_EQ(weights.size(), 102U);
  for (auto& [name, tensor] : weights) tensor = tensor.to(at::kHalf);
  const auto state = started("resnet18", 3, weights);
  EXPECT_EQ(state.at("fc.weight").scalar_type(), at::kFloat);
  EXPECT_TRUE(state.at("fc.weight").equal(weights.at("fc.weight").to(at::kFloat)));
  EXPECT_EQ(state.at("bn1.num_batches_tracked").item<std::int64_t>(), 0);
}

TEST_F(Start, KnowsTheNamesOfTheFirstDenseNets) {
  const auto weights = state_from_seed("densenet121", 3, 1);
  NamedTensors old;
  int renamed = 0;
  for (const auto& [name, tensor] : weights) {
    const auto old_name =
        std::regex_replace(name, std::regex(R"((denselayer\d+\.(norm|conv))([12]\.))"), "$1.$3");
    renamed += old_name == name ? 0 : 1;
    old[old_name] = tensor;
  }
  EXPECT_GT(renamed, 500);
  for (const auto& [name, tensor] : started("densenet121", 3, old))
    EXPECT_TRUE(tensor.equal(weights.at(name))) << name;
}

TEST_F(Start, WhatDoesNotFitIsNamed) {
  const auto good = state_from_seed("resnet18", 3, 1);
  auto weights = good;
  weights.erase("bn1.bias");
  weights["more"] = at::ones({1});
  weights["conv1.weight"] = at::ones({64, 1, 7, 7});
  EXPECT_THAT(refusal(weights),
              AllOf(HasSubstr("not those of a resnet18"), HasSubstr("missing: bn1.bias"),
                    HasSubstr("unexpected: more"),
                    HasSubstr("conv1.weight [64, 1, 7, 7] instead of [64, 3, 7, 7]")));
  weights = good;
  weights["fc.weight"] = at::ones({3, 256});
  EXPECT_THAT(refusal(weights), HasSubstr("fc.weight [3, 256]"));
  weights["fc.weight"] = at::ones({5, 512});  // with the bias of three classes
  EXPECT_THAT(refusal(weights), HasSubstr("fc.weight [5, 512]"));
  weights = good;
  weights["bn1.weight"] = at::ones({64}, at::kLong);
  EXPECT_THAT(refusal(weights), HasSubstr("'bn1.weight' is of type Long"));
  weights["bn1.weight"] = at::full({64}, NAN);
  EXPECT_THAT(refusal(weights), HasSubstr("'bn1.weight' has values that are not finite"));
  EXPECT_THAT(refusal(state_from_seed("resnet34", 3, 1)), HasSubstr("unexpected: layer1.2"));
}

TEST_F(Start, TrainingGoesOnFromTheWeights) {
  auto job = toy_job(16, 32);
  job.options.epochs = 1;
  job.options.learning_rate = 0;
  const auto weights = state_from_seed("resnet18", 3, 7);
  write_safetensors(file_, weights);
  job.weights = file_;
  const auto result = train(job, std::nullopt, {});
  EXPECT_TRUE(result.tensors.at("fc.weight").equal(weights.at("fc.weight")));
  EXPECT_TRUE(result.tensors.at("conv1.weight").equal(weights.at("conv1.weight")));
}

}  // namespace
}  // namespace sweep::trainer
