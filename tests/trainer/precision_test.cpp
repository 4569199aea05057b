// bfloat16 is a rounding, not another training; it comes and goes with its scope.
#include "trainer/precision.hpp"

#include <ATen/Context.h>
#include <gtest/gtest.h>

#include "attacks/goal.hpp"
#include "attacks/gradient.hpp"
#include "core/error.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/batches.hpp"
#include "trainer/inference.hpp"
#include "trainer/memory.hpp"
#include "trainer/models/recomputation.hpp"

namespace sweep::trainer {
namespace {

at::Tensor product_of_ones() {
  return at::matmul(at::full({4, 4}, 1.001), at::full({4, 4}, 1.001));
}

TEST(Autocast, LastsAsLongAsItsScope) {
  {
    const Autocast outer(Precision::bf16, at::kCPU);
    EXPECT_EQ(product_of_ones().scalar_type(), at::kBFloat16);
    EXPECT_EQ(Autocast::current(), Precision::bf16);
    {
      const Autocast inner(Precision::float32, at::kCPU);
      EXPECT_EQ(product_of_ones().scalar_type(), at::kFloat);
    }
    EXPECT_EQ(product_of_ones().scalar_type(), at::kBFloat16);
  }
  EXPECT_EQ(product_of_ones().scalar_type(), at::kFloat);
  EXPECT_EQ(Autocast::current(), Precision::float32);
}

TEST(Tf32, IsASettingOfItsScopeAndOfCudaAlone) {
  at::globalContext().setAllowTF32CuDNN(false);
  {
    const Tf32 scope(Precision::tf32);
    EXPECT_TRUE(at::globalContext().allowTF32CuDNN());
    EXPECT_TRUE(at::globalContext().allowTF32CuBLAS());
  }
  EXPECT_FALSE(at::globalContext().allowTF32CuDNN());
  EXPECT_THROW(precision_on(at::kCPU, "tf32"), InputError);
  EXPECT_THROW(precision_on(at::kCPU, "fp8"), InputError);
  EXPECT_EQ(precision_on(at::kCPU, "bf16"), Precision::bf16);
}

TrainingJob job_in(const std::string& precision) {
  auto job = toy_job(24, 32);
  job.defence = "denoising";
  job.defence_options = denoising_options(1, 10);
  job.options.precision = precision;
  return job;
}

/// What is stored has all its digits, and the losses are those of float32 but for rounding.
TEST(Bf16Training, IsFloat32TrainingButForRounding) {
  const auto exact = train(job_in("float32"), {}, {});
  const auto rounded = train(job_in("bf16"), {}, {});
  ASSERT_EQ(rounded.history.size(), exact.history.size());
  const auto &a = rounded.history.front(), &b = exact.history.front();
  EXPECT_NE(a.loss, b.loss) << "nothing was rounded";
  EXPECT_NEAR(a.loss, b.loss, 0.03 * b.loss);
  EXPECT_NEAR(a.feature, b.feature, 0.15 * b.feature);
  EXPECT_NEAR(a.reconstruction, b.reconstruction, 0.03 * b.reconstruction);
  for (const auto& [name, tensor] : rounded.tensors) {
    EXPECT_EQ(tensor.scalar_type(), exact.tensors.at(name).scalar_type()) << name;
    EXPECT_TRUE(at::isfinite(tensor).all().item<bool>()) << name;
  }
}

TEST(Bf16Training, LearnsAsFloat32Does) {
  auto job = toy_job(48, 32);
  job.options.epochs = 6;
  job.options.precision = "bf16";
  EXPECT_GT(train(job, {}, {}).history.back().accuracy, 0.9);
}

TEST(Bf16Training, ResumedIsBitForBitTheUninterrupted) {
  const auto job = job_in("bf16");
  std::optional<TrainingState> saved;
  TrainingHooks hooks;
  hooks.stop_requested = [steps = 0]() mutable { return ++steps == 2; };
  hooks.save = [&](const TrainingState& state) { saved = state; };
  ASSERT_FALSE(train(job, {}, hooks).finished);
  const auto resumed = train(job, saved, {}), whole = train(job, {}, {});
  for (const auto& [name, tensor] : whole.tensors)
    EXPECT_TRUE(tensor.equal(resumed.tensors.at(name))) << name;
}

TEST(Bf16Training, RecomputesBlocksInTheSamePrecision) {
  const auto job = job_in("bf16");
  const auto plain = train(job, {}, {});
  const MemoryLevel memory(1);
  const auto recomputed = train(job, {}, {});
  for (const auto& [name, tensor] : plain.tensors)
    EXPECT_TRUE(tensor.equal(recomputed.tensors.at(name))) << name;
}

/// Adversarial training evaluates the model without gradients and then with them: what was cast
/// for the first must not be used for the second.
TEST(Bf16Training, HasGradientsBehindPassesWithoutThem) {
  const auto model = make_model(3);
  model->module().train();
  const auto defence =
      DefenceRegistry::instance()
          .at("pgd_training")
          .make({{"epsilon", 0.03}, {"alpha", 0.01}, {"steps", 2}}, {*model, nullptr});
  const auto batch = whole_batch(at::rand({4, 3, 32, 32}), at::tensor({0, 1, 2, 0}, at::kLong));
  const Autocast bf16(Precision::bf16, at::kCPU);
  defence->loss(*model, batch, 1).total.backward();
  for (const auto& item : model->module().named_parameters())
    EXPECT_TRUE(item.value().grad().defined()) << item.key();
}

TEST(Bf16Attack, StaysNearFloat32AndItsResultIsFloat32) {
  std::shared_ptr<Classifier> model = make_model(3);
  model->module().eval();
  for (auto& parameter : model->module().parameters()) parameter.set_requires_grad(false);
  const auto job = toy_job(8, 64);
  const auto images = to_model_input(job.images, at::kCPU);
  const attacks::Goal goal(job.labels);
  const auto exact = attacks::loss_gradient(logits_of(model), images, goal);
  const auto rounded = attacks::loss_gradient(logits_of(model, Precision::bf16), images, goal);
  EXPECT_EQ(rounded.scalar_type(), at::kFloat);
  EXPECT_FALSE(rounded.equal(exact));
  const double cosine = ((rounded * exact).sum() / (rounded.norm() * exact.norm())).item<double>();
  EXPECT_GT(cosine, 0.97);
  EXPECT_EQ(logits_of(model, Precision::bf16)(images).scalar_type(), at::kFloat);
}

}  // namespace
}  // namespace sweep::trainer
