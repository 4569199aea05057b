#include "trainer/models/recomputation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>

#include <string>

#include "attacks/goal.hpp"
#include "attacks/gradient.hpp"
#include "core/error.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/inference.hpp"
#include "trainer/memory.hpp"
#include "trainer/preprocessor_training.hpp"
#include "trainer/preprocessors/preprocessor.hpp"

namespace sweep::trainer {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TrainingJob job_of(const std::string& model, const std::string& defence) {
  auto job = toy_job(10, 64);
  job.model = model;
  job.model_options =
      complete(ModelRegistry::instance().at(model).schema,
               model.starts_with("vgg") ? Json{{"classifier_width", 16}} : Json::object());
  job.defence = defence;
  if (defence == "denoising") job.defence_options = denoising_options(1, 10);
  if (defence.ends_with("_training"))
    job.defence_options =
        complete(DefenceRegistry::instance().at(defence).schema,
                 defence == "pgd_training" ? Json{{"epsilon", 0.02}, {"alpha", 0.01}}
                                           : Json{{"epsilon", 0.02}});
  job.options = {.epochs = 2, .batch_size = 5};
  return job;
}

NamedTensors trained(const TrainingJob& job, int level) {
  const MemoryLevel memory(level);
  return train(job, std::nullopt, {}).tensors;
}

std::string first_difference(const NamedTensors& actual, const NamedTensors& expected) {
  for (const auto& [name, tensor] : expected)
    if (!tensor.equal(actual.at(name))) return name;
  return {};
}

struct Case {
  const char *model, *defence;
};

class Levels : public ::testing::TestWithParam<Case> {};

/// Statistics of batch normalisation are among the tensors that are compared.
TEST_P(Levels, GiveTheSameBits) {
  const auto job = job_of(GetParam().model, GetParam().defence);
  const auto plain = trained(job, 0);
  EXPECT_EQ(first_difference(trained(job, 1), plain), "") << "level 1";
  EXPECT_EQ(first_difference(trained(job, 2), plain), "") << "level 2";
}

INSTANTIATE_TEST_SUITE_P(
    Trainings, Levels,
    ::testing::Values(Case{"resnet18", "none"}, Case{"resnet18", "denoising"},
                      Case{"resnet18", "pgd_training"}, Case{"resnet18", "fgsm_training"},
                      Case{"densenet121", "none"}, Case{"densenet121", "denoising"},
                      Case{"vgg11_bn", "none"}, Case{"vgg11_bn", "denoising"},
                      Case{"mobilenet_v2", "none"}, Case{"mobilenet_v2", "denoising"}),
    [](const auto& trained_case) {
      return std::string(trained_case.param.model) + "_" + trained_case.param.defence;
    });

TEST(Recomputation, OfAnUnetGivesTheSameBits) {
  const auto images = toy_job(6, 32);
  PreprocessorJob job{
      .preprocessor = "hgd",
      .preprocessor_options =
          complete(PreprocessorRegistry::instance().at("hgd").schema,
                   {{"width", 4}, {"epochs", 2}, {"batch_size", 3}, {"training_attacks", {"toy"}}}),
      .images = images.images,
      .labels = images.labels,
      .adversarial_sets = {images.images.to(at::kFloat).div(256)},
      .guide = make_model(3)};
  job.guide->module().eval();
  const auto plain = train(job, std::nullopt, {}).tensors;
  for (const int level : {1, 2}) {
    const MemoryLevel memory(level);
    EXPECT_EQ(first_difference(train(job, std::nullopt, {}).tensors, plain), "") << level;
  }
}

/// Without batch normalisation level 2 runs in pieces: other sums, but no other training.
TEST(Recomputation, InPiecesDiffersByRoundingAlone) {
  const auto job = job_of("vgg11", "none");
  const auto plain = trained(job, 0), pieces = trained(job, 2);
  EXPECT_EQ(first_difference(trained(job, 1), plain), "");
  EXPECT_NE(first_difference(pieces, plain), "") << "nothing ran in pieces";
  for (const auto& [name, tensor] : plain)
    EXPECT_LT(relative_error(pieces.at(name), tensor), 1e-5) << name;
}

TEST(Recomputation, GivesAttacksTheSameGradients) {
  std::shared_ptr<Classifier> model = make_model(3);
  model->module().eval();
  for (auto& parameter : model->module().parameters()) parameter.set_requires_grad(false);
  const auto job = toy_job(6, 64);
  const auto images = to_model_input(job.images, at::kCPU);
  const attacks::Goal goal(job.labels, false, 0);
  const auto plain = attacks::loss_gradient(logits_of(model), images, goal);
  for (const int level : {1, 2, 3}) {
    const MemoryLevel memory(level);
    EXPECT_TRUE(attacks::loss_gradient(logits_of(model), images, goal).equal(plain)) << level;
  }
}

std::int64_t peak_of(const TrainingJob& job, int level) {
  const TensorMemory memory;
  trained(job, level);
  return memory.peak();
}

TEST(Recomputation, SavesMemory) {
  auto job = job_of("densenet121", "denoising");
  job.options = {.epochs = 1, .batch_size = 10};
  const auto plain = peak_of(job, 0), blocks = peak_of(job, 1), parts = peak_of(job, 2);
  RecordProperty(
      "peaks", std::to_string(plain) + " " + std::to_string(blocks) + " " + std::to_string(parts));
  EXPECT_LT(blocks, 0.8 * static_cast<double>(plain));
  EXPECT_LT(parts, 0.9 * static_cast<double>(blocks));
}

TEST(Recomputation, IsWhatFitsIntoLittleMemory) {
  auto job = job_of("densenet121", "denoising");
  job.options = {.epochs = 1, .batch_size = 10};
  const auto plain = trained(job, 0);
  const auto limit = (peak_of(job, 0) + peak_of(job, 1)) / 2;
  const TensorMemory limited(limit);
  EXPECT_THAT([&] { trained(job, 0); }, ThrowsMessage<c10::Error>(HasSubstr("can't allocate")));
  EXPECT_EQ(first_difference(trained(job, 1), plain), "");
}

/// x -> dropout(linear(x)), and how often it has run.
struct Counted : torch::nn::Module {
  explicit Counted(double rate)
      : linear(register_module("linear", torch::nn::Linear(4, 4))),
        dropout(register_module("dropout", torch::nn::Dropout(rate))) {}
  at::Tensor forward(const at::Tensor& x) {
    return recomputed(
        1, {this},
        [this](const at::Tensor& y) {
          ++runs;
          return dropout(linear(y)).sin();
        },
        x);
  }
  torch::nn::Linear linear;
  torch::nn::Dropout dropout;
  int runs = 0;
};

TEST(Recomputation, LeavesOutWhatWouldDrawAnew) {
  const MemoryLevel memory(1);
  const auto module = std::make_shared<Counted>(0.5);
  module->forward(at::ones({2, 4})).sum().backward();
  EXPECT_EQ(module->runs, 1);
  module->eval();
  module->forward(at::ones({2, 4})).sum().backward();
  EXPECT_EQ(module->runs, 3);
  const at::NoGradGuard no_grad;
  module->forward(at::ones({2, 4}));
  EXPECT_EQ(module->runs, 4);
}

TEST(Recomputation, RefusesWhatItCannotDo) {
  const MemoryLevel memory(1);
  const auto module = std::make_shared<Counted>(0.5);
  module->eval();
  const auto x = at::ones({2, 4}).requires_grad_();
  const auto loss = module->forward(x).sum();
  EXPECT_THAT(
      [&] { torch::autograd::grad({loss}, {x}, {}, /*retain_graph=*/true, /*create_graph=*/true); },
      ThrowsMessage<Error>(HasSubstr("no second derivatives")));
  module->train();
  EXPECT_THAT([&] { loss.backward(); }, ThrowsMessage<Error>(HasSubstr("evaluation mode")));
}

TEST(MemoryLevel, EndsWithItsScope) {
  EXPECT_EQ(MemoryLevel::current(), 0);
  {
    const MemoryLevel outer(2);
    { const MemoryLevel inner(1); }
    EXPECT_EQ(MemoryLevel::current(), 2);
  }
  EXPECT_EQ(MemoryLevel::current(), 0);
}

}  // namespace
}  // namespace sweep::trainer
