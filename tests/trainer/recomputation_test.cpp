#include "trainer/models/recomputation.hpp"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/nn/modules/batchnorm.h>

#include "attacks/goal.hpp"
#include "attacks/gradient.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/inference.hpp"
#include "trainer/tensors.hpp"

namespace sweep::trainer {
namespace {

NamedTensors trained(const TrainingJob& job, int level) {
  const MemoryLevel memory(level);
  return train(job, std::nullopt, {}).tensors;
}

std::string first_difference(const NamedTensors& actual, const NamedTensors& expected) {
  for (const auto& [name, tensor] : expected)
    if (!tensor.equal(actual.at(name))) return name;
  return {};
}

TrainingJob job_of(const std::string& model, const std::string& defence) {
  auto job = toy_job(10, 64);
  job.model = model;
  job.model_options =
      complete(ModelRegistry::instance().at(model).schema,
               model.starts_with("vgg") ? Json{{"classifier_width", 16}} : Json::object());
  job.defence = defence;
  if (defence == "denoising") job.defence_options = denoising_options(1, 10);
  job.options = {.epochs = 2, .batch_size = 5};
  return job;
}

struct Case {
  const char *model, *defence;
};

class EveryLevel : public ::testing::TestWithParam<Case> {};

TEST_P(EveryLevel, GivesTheSameBits) {
  const auto job = job_of(GetParam().model, GetParam().defence);
  const auto plain = trained(job, 0);
  EXPECT_EQ(first_difference(trained(job, 1), plain), "") << "level 1";
  EXPECT_EQ(first_difference(trained(job, 2), plain), "") << "level 2";
}

INSTANTIATE_TEST_SUITE_P(Trainings, EveryLevel,
                         ::testing::Values(Case{"resnet18", "none"}, Case{"resnet18", "denoising"},
                                           Case{"densenet121", "none"},
                                           Case{"densenet121", "denoising"},
                                           Case{"vgg11_bn", "none"}, Case{"vgg11_bn", "denoising"},
                                           Case{"mobilenet_v2", "none"},
                                           Case{"mobilenet_v2", "denoising"}),
                         [](const auto& trained_case) {
                           return std::string(trained_case.param.model) + "_" +
                                  trained_case.param.defence;
                         });

}  // namespace
}  // namespace sweep::trainer
