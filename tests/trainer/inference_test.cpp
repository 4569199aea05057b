#include "trainer/inference.hpp"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/models/folding.hpp"
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

TEST(Predict, ReportsEveryBatch) {
  const auto model = load(toy_state());
  std::vector<double> fractions;
  predict(*model, toy_job(150, 32).images, at::kCPU,
          [&](double fraction) { fractions.push_back(fraction); });
  EXPECT_THAT(fractions, ::testing::ElementsAre(64.0 / 150, 128.0 / 150, 1));
}

using ThreadsAndModel = std::tuple<int, std::string>;

class Evaluate : public ::testing::TestWithParam<ThreadsAndModel> {
 protected:
  void SetUp() override { at::set_num_threads(std::get<int>(GetParam())); }
  void TearDown() override { at::set_num_threads(threads_); }

  /// As sweeps load it, with parameters of its own seed.
  static std::shared_ptr<Classifier> model() {
    const auto& name = std::get<std::string>(GetParam());
    const auto& entry = ModelRegistry::instance().at(name);
    Json given = {{"normalize", "half"}};
    if (name == "vgg11_bn") given["classifier_width"] = 64;
    const auto options = complete(entry.schema, given);
    const auto fresh = entry.make(options, 3);
    fresh->initialize(1);
    auto loaded = load_classifier(name, options, 3, state_of(fresh->module()), at::kCPU);
    fold_batch_norm(loaded->module());
    return loaded;
  }

 private:
  int threads_ = at::get_num_threads();
};

TEST_P(Evaluate, GivesAnImageTheSameBitsInEveryBatch) {
  const auto classifier = model();
  const auto images = to_model_input(toy_job(70, 32).images, at::kCPU);
  const auto logits_and_gradients = [&](std::int64_t first, std::int64_t count) {
    const auto part = images.narrow(0, first, count).detach().requires_grad_();
    const auto logits = evaluate(*classifier, part);
    logits.square().sum().backward();
    return std::pair(logits.detach(), part.grad());
  };
  const auto [logits, gradients] = logits_and_gradients(0, 70);
  for (const std::int64_t count : {1, 2, 3, 5, 8, 17, 33, 64}) {
    const std::int64_t first = 70 - count;
    const auto [some, their_gradients] = logits_and_gradients(first, count);
    EXPECT_TRUE(some.equal(logits.narrow(0, first, count))) << count;
    EXPECT_TRUE(their_gradients.equal(gradients.narrow(0, first, count))) << count;
  }
}

INSTANTIATE_TEST_SUITE_P(, Evaluate,
                         ::testing::Combine(::testing::Values(1, 2),
                                            ::testing::Values("resnet18", "vgg11_bn", "densenet121",
                                                              "mobilenet_v2")),
                         [](const auto& tested) {
                           return concat(std::get<1>(tested.param), "_", std::get<0>(tested.param),
                                         "_threads");
                         });

}  // namespace
}  // namespace sweep::trainer
