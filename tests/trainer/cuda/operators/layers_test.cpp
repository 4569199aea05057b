#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/function.h>

#include "tests/trainer/cuda/operators/device.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/defences/defence.hpp"
#include "trainer/inference.hpp"
#include "trainer/models/folding.hpp"
#include "trainer/models/norm_relu.hpp"
#include "trainer/models/normalization.hpp"
#include "trainer/module_state.hpp"
#include "trainer/precision.hpp"

// Float64 is not what the kernels take: it goes the plain way, which is what float32 and bfloat16
// are compared with.

namespace sweep::trainer {
namespace {

/// Values that bfloat16 holds, so that ReLU cuts the same in every type.
at::Tensor random(at::IntArrayRef shape, std::uint64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::kDouble)
      .to(at::kBFloat16)
      .to(at::kDouble)
      .contiguous(shape.size() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous)
      .to(tested_device());
}

/// What comes out of norm_relu, and its gradients, all in float64.
struct Results {
  at::Tensor y, mean, variance, to_x, to_residual, to_weight, to_bias;
};

Results run_norm_relu(at::ScalarType type, bool with_residual) {
  BatchNorm2d norm(16);
  {
    const at::NoGradGuard no_grad;
    norm->weight.copy_(random({16}, 1));
    norm->bias.copy_(random({16}, 2));
  }
  norm->to(tested_device(), type == at::kDouble ? at::kDouble : at::kFloat);
  const auto x = random({5, 16, 7, 3}, 3).to(type).requires_grad_(true);
  const auto residual = random({5, 16, 7, 3}, 4).to(type).requires_grad_(true);
  const auto y = norm_relu(*norm, x * 1, with_residual ? residual * 1 : at::Tensor());
  (y * random({5, 16, 7, 3}, 5).to(type)).sum().backward();
  const auto wide = [](const at::Tensor& tensor) {
    return tensor.defined() ? tensor.detach().to(at::kCPU, at::kDouble) : tensor;
  };
  return {wide(y),
          wide(norm->running_mean),
          wide(norm->running_var),
          wide(x.grad()),
          wide(residual.grad()),
          wide(norm->weight.grad()),
          wide(norm->bias.grad())};
}

void expect_close(const Results& actual, const Results& expected, double tolerance) {
  EXPECT_LT(relative_error(actual.y, expected.y), tolerance);
  EXPECT_LT(relative_error(actual.mean, expected.mean), tolerance);
  EXPECT_LT(relative_error(actual.variance, expected.variance), tolerance);
  EXPECT_LT(relative_error(actual.to_x, expected.to_x), tolerance);
  EXPECT_LT(relative_error(actual.to_weight, expected.to_weight), tolerance);
  EXPECT_LT(relative_error(actual.to_bias, expected.to_bias), tolerance);
  ASSERT_EQ(actual.to_residual.defined(), expected.to_residual.defined());
  if (!expected.to_residual.defined()) return;
  EXPECT_LT(relative_error(actual.to_residual, expected.to_residual), tolerance);
}

TEST(FusedNormRelu, IsBatchNormalisationAndRelu) {
  expect_close(run_norm_relu(at::kFloat, false), run_norm_relu(at::kDouble, false), 1e-5);
}

TEST(FusedNormRelu, AddsAResidual) {
  expect_close(run_norm_relu(at::kFloat, true), run_norm_relu(at::kDouble, true), 1e-5);
}

TEST(FusedNormRelu, TakesBfloat16) {
  expect_close(run_norm_relu(at::kBFloat16, true), run_norm_relu(at::kDouble, true), 2e-2);
}

TEST(FusedNormRelu, IsTakenForFloat32) {
  BatchNorm2d norm(16);
  norm->to(tested_device());
  const auto x = random({2, 16, 4, 4}, 3).to(at::kFloat).requires_grad_(true);
  const auto node = norm_relu(*norm, x).grad_fn()->name();
  EXPECT_NE(node.find("NormRelu"), std::string::npos) << node;
  EXPECT_EQ(norm->num_batches_tracked.item<std::int64_t>(), 1);
}

TEST(FusedNormRelu, LeavesOtherShapesToLibTorch) {
  BatchNorm2d norm(12);
  norm->to(tested_device());
  const auto x = random({2, 12, 4, 4}, 3).to(at::kFloat).requires_grad_(true);
  EXPECT_EQ(norm_relu(*norm, x).grad_fn()->name().find("NormRelu"), std::string::npos);
}

at::Tensor images(std::int64_t count, std::int64_t size) {
  return at::rand({count, 3, size, size}, at::detail::createCPUGenerator(6), at::kDouble)
      .contiguous(at::MemoryFormat::ChannelsLast)
      .to(tested_device());
}

/// A ResNet18 with statistics of its own, in evaluation mode.
std::unique_ptr<Classifier> trained(at::ScalarType type) {
  auto model = make_model(4);
  place(model->module(), tested_device());
  model->module().to(at::kDouble);
  {
    const at::NoGradGuard no_grad;
    model->module().train();
    model->forward(images(8, 32));
  }
  model->module().to(type);
  model->module().eval();
  for (auto& parameter : model->module().parameters()) parameter.set_requires_grad(false);
  return model;
}

TEST(FusedFolding, GivesTheLogitsAndGradientsOfTheWhole) {
  const auto run = [](at::ScalarType type, bool fold) {
    auto model = trained(type);
    EXPECT_EQ(fold ? fold_batch_norm(model->module()) : 20, 20);
    const auto x = images(4, 32).to(type).requires_grad_(true);
    const auto logits = model->forward(x).logits;
    logits.select(1, 0).sum().backward();
    return std::pair(logits.detach().to(at::kDouble), x.grad().to(at::kDouble));
  };
  const auto [logits, gradient] = run(at::kFloat, true);
  const auto [plain_logits, plain_gradient] = run(at::kDouble, false);
  EXPECT_LT(relative_error(logits, plain_logits), 1e-4);
  EXPECT_LT(relative_error(gradient, plain_gradient), 1e-3);
}

TEST(FusedNormalization, IsTheNormalisation) {
  for (const auto* name : {"imagenet", "half"}) {
    Normalization normalize(name), plain(name);
    const auto x = images(3, 5).to(at::kFloat).requires_grad_(true);
    const auto wide = images(3, 5).requires_grad_(true);
    const auto y = normalize(x), expected = plain(wide);
    EXPECT_LT(relative_error(y, expected), 1e-6);
    const auto weights = random({3, 3, 5, 5}, 8);
    (y * weights.to(at::kFloat)).sum().backward();
    (expected * weights).sum().backward();
    EXPECT_LT(relative_error(x.grad(), wide.grad()), 1e-6);
    const Autocast bf16(Precision::bf16, tested_device());
    EXPECT_EQ(normalize(x).scalar_type(), at::kBFloat16);
    EXPECT_TRUE(normalize(x.detach()).equal(y.detach().to(at::kBFloat16)));
  }
}

/// One step of the paper's loss through all fused layers.
TEST(FusedTraining, HasTheGradientsOfThePlainOne) {
  const auto gradients = [](at::ScalarType type) {
    auto model = make_model(4);
    auto defence = make_denoising(*model, 1, 1);
    for (auto* module : {&model->module(), defence->module()}) {
      place(*module, tested_device());
      module->to(type);
      module->train();
    }
    const Batch batch =
        whole_batch(images(6, 32).to(type), at::arange(6).remainder(4).to(tested_device()));
    const auto terms = defence->loss(*model, batch, 9);
    terms.total.backward();
    NamedTensors all{{"loss", terms.total.detach().to(at::kDouble)}};
    for (auto* module : {&model->module(), defence->module()})
      for (const auto& item : module->named_parameters())
        if (item.value().grad().defined())
          all.emplace(item.key(), item.value().grad().to(at::kDouble));
    return all;
  };
  const auto fused = gradients(at::kFloat), plain = gradients(at::kDouble);
  ASSERT_EQ(fused.size(), plain.size());
  for (const auto& [name, gradient] : plain)
    EXPECT_LT(relative_error(fused.at(name), gradient), 2e-3) << name;
}

}  // namespace
}  // namespace sweep::trainer
