// torchvision's networks with weights from a formula: values, gradients and statistics that
// torchvision itself gave.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "tests/support/reference_h5.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/module_state.hpp"

namespace sweep::trainer {
namespace {

std::uint32_t hash(std::uint32_t h) {
  h ^= h >> 16;
  h *= 0x7feb352d;
  h ^= h >> 15;
  h *= 0x846ca68b;
  return h ^ (h >> 16);
}

double signed_unit(std::uint32_t i) {
  return static_cast<double>(hash(i) >> 8) * 0x1p-23 - 1;
}

at::Tensor analytic_tensor(const std::string& name, at::IntArrayRef shape, std::uint32_t index) {
  double offset = 0, scale = 0.125;  // biases and running means
  if (shape.size() > 1) {
    scale = std::sqrt(6.0 * static_cast<double>(shape[0]) /
                      static_cast<double>(c10::multiply_integers(shape)));
  } else if (name.ends_with("running_var") || name.ends_with("weight")) {
    offset = 1, scale = 0.25;
  }
  auto tensor = at::empty(shape, at::kFloat);
  float* values = tensor.data_ptr<float>();
  for (std::uint32_t i = 0; i < tensor.numel(); ++i)
    values[i] = static_cast<float>(offset + scale * signed_unit(i + index * 0x9E3779B9u));
  return tensor;
}

at::Tensor analytic_images(std::int64_t count) {
  auto images = at::empty({count, 3, 64, 64}, at::kFloat);
  float* values = images.data_ptr<float>();
  for (std::uint32_t i = 0; i < images.numel(); ++i)
    values[i] = static_cast<float>((hash(i + 0x12345678) >> 24) / 255.0);
  return images;
}

at::Tensor rows(const Json& json) {
  std::vector<double> flat;
  for (const auto& row : json)
    for (const auto& value : row) flat.push_back(value);
  return at::tensor(flat, at::kDouble).view({static_cast<std::int64_t>(json.size()), -1});
}

class AnalyticModel : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto path = test_support::reference_file("analytic_models.json");
    if (path.empty()) GTEST_SKIP() << "SWEEP_SHARED_DIR is not set";
    reference = Json::parse(std::ifstream(path)).at(GetParam());
    const auto& entry = ModelRegistry::instance().at(GetParam());
    model = entry.make(complete(entry.schema, {{"normalize", "none"}}), 4);
    NamedTensors source;
    for (const auto& item : reference.at("state")) {
      const std::string name = item.at("name");
      const auto shape = item.at("shape").get<std::vector<std::int64_t>>();
      source[name] = name.ends_with("num_batches_tracked")
                         ? at::zeros({}, at::kLong)
                         : analytic_tensor(name, shape, item.at("j"));
      if (!shape.empty()) {
        EXPECT_NEAR(source[name].sum(at::kDouble).item<double>(), item.at("sum"), 1e-6) << name;
      }
    }
    copy_state(source, state_of(model->module()), GetParam());  // throws on other names or shapes
    model->module().eval();
  }

  Json reference;
  std::unique_ptr<Classifier> model;
};

TEST_P(AnalyticModel, LogitsInFloat32) {
  const auto expected = rows(reference.at("in64").at("logits_f64"));
  const at::NoGradGuard no_grad;
  EXPECT_LT(relative_error(model->forward(analytic_images(2)).logits, expected), 1e-3);
  place(model->module(), at::kCPU);
  const auto images = analytic_images(2).contiguous(at::MemoryFormat::ChannelsLast);
  const double error = relative_error(model->forward(images).logits, expected);
  RecordProperty("relative_error", std::to_string(error));
  EXPECT_LT(error, 1e-4);
}

TEST_P(AnalyticModel, LogitsAndGradientsInFloat64) {
  const auto& in64 = reference.at("in64");
  model->module().to(at::kDouble);
  const auto images = analytic_images(2).to(at::kDouble).requires_grad_();
  const auto logits = model->forward(images).logits;
  EXPECT_LT(relative_error(logits, rows(in64.at("logits_f64"))), 1e-10);

  const auto loss = at::cross_entropy_loss(logits, at::tensor({0, 1}, at::kLong));
  EXPECT_NEAR(loss.item<double>(), in64.at("ce_mean_labels01_f64"), 1e-9);
  loss.backward();
  const auto& gradient = in64.at("input_grad");
  EXPECT_NEAR(images.grad().norm().item<double>() / gradient.at("l2").get<double>(), 1, 1e-8);
  EXPECT_NEAR(images.grad().sum().item<double>() / gradient.at("sum").get<double>(), 1, 1e-8);
  for (const auto& item : model->module().named_parameters()) {
    const double l2 = in64.at("param_grads").at(item.key()).at("l2");
    EXPECT_NEAR(item.value().grad().norm().item<double>(), l2, 1e-8 * l2 + 1e-12) << item.key();
  }
}

TEST_P(AnalyticModel, TrainingModeAndRunningStatistics) {
  // Dropout draws from another library's generator: only networks without it have these results.
  if (!reference.at("in64").contains("train_mode_batch4"))
    GTEST_SKIP() << "the network has dropout";
  const auto& expected = reference.at("in64").at("train_mode_batch4");
  model->module().to(at::kDouble);
  model->module().train();
  const auto logits = model->forward(analytic_images(4).to(at::kDouble)).logits;
  EXPECT_LT(relative_error(logits, rows(expected.at("logits_f64"))), 1e-10);
  const auto state = state_of(model->module());
  for (const auto& [name, running] : expected.at("running_after_one_forward").items()) {
    const std::string layer = name.substr(0, name.rfind('.'));
    for (const std::string moment : {"mean", "var"}) {
      const auto actual = state.at(layer + ".running_" + moment).norm().item<double>();
      EXPECT_NEAR(actual / running.at(moment).at("l2").get<double>(), 1, 1e-8) << layer << moment;
    }
    EXPECT_EQ(state.at(layer + ".num_batches_tracked").item<std::int64_t>(), 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Torchvision, AnalyticModel,
                         ::testing::Values("resnet18", "vgg11_bn", "vgg16", "densenet121"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace sweep::trainer
