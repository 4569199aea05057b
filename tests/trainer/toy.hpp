#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/nn/module.h>

#include <memory>
#include <string>

#include "core/json.hpp"
#include "core/options.hpp"
#include "trainer/defences/defence.hpp"
#include "trainer/models/model.hpp"
#include "trainer/training.hpp"

namespace sweep::trainer {

/// `given` with the defaults of everything else.
inline Json complete(const Schema& schema, const Json& given) {
  return resolve(schema, given, "test", [](const std::string& key) { return key; });
}

inline std::unique_ptr<Classifier> make_model(std::int64_t num_classes,
                                              const std::string& normalize = "imagenet") {
  auto model =
      ModelRegistry::instance().at("resnet18").make({{"normalize", normalize}}, num_classes);
  model->initialize(1);
  return model;
}

inline Json denoising_options(double lambda_n, double lambda_a) {
  return {{"lambda_n", lambda_n}, {"lambda_a", lambda_a}, {"sigma", 8.0 / 255}};
}

inline std::unique_ptr<Defence> make_denoising(const Classifier& model, double lambda_n,
                                               double lambda_a) {
  const auto& entry = DefenceRegistry::instance().at("denoising");
  auto defence = entry.make(denoising_options(lambda_n, lambda_a), {model, nullptr});
  defence->initialize(2);
  return defence;
}

/// Images whose class is the colour channel that is bright: bytes, classes in turn.
inline TrainingJob toy_job(std::int64_t count, std::int64_t size, std::int64_t num_classes = 3) {
  const auto generator = at::detail::createCPUGenerator(5);
  auto images = at::randint(0, 120, {count, 3, size, size}, generator, at::kLong).to(at::kByte);
  const auto labels = at::arange(count, at::kLong).remainder(num_classes);
  for (std::int64_t i = 0; i < count; ++i) images[i][i % num_classes] += 100;
  return {.model = "resnet18",
          .defence = "none",
          .model_options = {{"normalize", "half"}},
          .defence_options = Json::object(),
          .options = {.epochs = 2, .batch_size = 8},
          .num_classes = num_classes,
          .images = images,
          .labels = labels};
}

/// Largest difference, relative to the largest value of `expected`.
inline double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
  const auto a = actual.detach().to(at::kDouble), e = expected.detach().to(at::kDouble);
  return ((a - e).abs().max() / e.abs().max()).item<double>();
}

}  // namespace sweep::trainer
