#include "trainer/inference.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/module_state.hpp"

namespace sweep::trainer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const Json kOptions = {{"normalize", "imagenet"}};

NamedTensors toy_state() {
  return copied_to_cpu(state_of(make_model(3)->module()));
}

std::shared_ptr<Classifier> load(const NamedTensors& state) {
  return load_classifier("resnet18", kOptions, 3, state, at::kCPU);
}

TEST(LoadClassifier, IsInEvaluationModeWithTheGivenState) {
  const auto state = toy_state();
  const auto model = load(state);
  for (const auto& [name, tensor] : copied_to_cpu(state_of(model->module())))
    EXPECT_TRUE(tensor.equal(state.at(name))) << name;
  EXPECT_FALSE(model->module().is_training());
  for (const auto& parameter : model->module().parameters())
    EXPECT_FALSE(parameter.requires_grad());
}

TEST(LoadClassifier, NamesTensorsThatDoNotFit) {
  auto state = toy_state();
  state.erase("layer3.0.conv1.weight");
  state["head.weight"] = at::zeros({3});
  state["fc.weight"] = at::zeros({1000, 512});
  try {
    load(state);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.type(), FailureType::bad_data);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("missing: layer3.0.conv1.weight"),
                                    HasSubstr("unexpected: head.weight"),
                                    HasSubstr("fc.weight [1000, 512] instead of [3, 512]")));
  }
  EXPECT_THROW(load_classifier("resnet19", kOptions, 3, toy_state(), at::kCPU), InputError);
}

TEST(LogitsOf, IsDifferentiableWithRespectToTheImages) {
  const auto logits = logits_of(load(toy_state()));
  const auto images = at::rand({2, 3, 32, 32}).requires_grad_();
  logits(images).sum().backward();
  EXPECT_GT(images.grad().norm().item<double>(), 0);
}

TEST(Predict, TakesBytesAndFloatsAlike) {
  const auto model = load(toy_state());
  const auto bytes = toy_job(5, 32).images;
  const auto a = predict(*model, bytes, at::kCPU);
  const auto b = predict(*model, bytes.to(at::kFloat) / 255, at::kCPU);
  EXPECT_TRUE(a.logits.equal(b.logits));
  EXPECT_EQ(a.logits.sizes(), (at::IntArrayRef{5, 3}));
  EXPECT_TRUE(a.classes.equal(a.logits.argmax(1)));
  EXPECT_EQ(a.classes.scalar_type(), at::kLong);
}

TEST(Predict, ShardsAtMultiplesOfTheBatchGiveTheWholesBits) {
  const auto model = load(toy_state());
  const auto images = toy_job(150, 32).images;
  std::vector<double> fractions;
  const auto whole =
      predict(*model, images, at::kCPU, [&](double fraction) { fractions.push_back(fraction); });
  const auto shard = predict(*model, images.slice(0, inference_batch), at::kCPU);
  EXPECT_TRUE(whole.logits.slice(0, inference_batch).equal(shard.logits));
  EXPECT_THAT(fractions, ::testing::ElementsAre(64.0 / 150, 128.0 / 150, 1));
}

}  // namespace
}  // namespace sweep::trainer
