#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "attacks/attack.hpp"
#include "attacks/goal.hpp"
#include "attacks/recorded_function.hpp"
#include "tests/trainer/cuda/operators/device.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/inference.hpp"
#include "trainer/models/folding.hpp"

// Graphs of a GPU: these tests are skipped without one. What is recorded when, and that nothing is
// lost by it, is tested on the CPU (recorded_function_test, recorded_training_test).

namespace sweep::trainer {
namespace {

class Graphs : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!tested_device().is_cuda()) GTEST_SKIP() << "there is no GPU";
  }

  /// What `run` gives with graphs, and without them.
  template <class Run>
  static auto both(const Run& run) {
    auto recorded = run();
    const auto factory = attacks::set_recorder_factory(at::kCUDA, nullptr);
    auto plain = run();
    attacks::set_recorder_factory(at::kCUDA, factory);
    return std::pair(std::move(recorded), std::move(plain));
  }
};

TEST_F(Graphs, OfTrainingStepsGiveTheSame) {
  auto job = toy_job(38, 32);  // four whole batches and a smaller one
  job.defence = "denoising";
  job.defence_options = denoising_options(1, 10);
  job.device = tested_device();
  for (const auto* precision : {"float32", "bf16"}) {
    job.options.precision = precision;
    const auto [recorded, plain] = both([&] { return train(job, std::nullopt, {}); });
    for (const auto& [name, tensor] : plain.tensors)
      EXPECT_LT(relative_error(recorded.tensors.at(name).to(at::kDouble), tensor.to(at::kDouble)),
                1e-3)
          << name << ' ' << precision;
  }
}

TEST_F(Graphs, OfAttackStepsGiveTheSame) {
  const auto trained = train(toy_job(16, 32), std::nullopt, {});
  const auto model =
      load_classifier("resnet18", {{"normalize", "half"}}, 3, trained.tensors, tested_device());
  fold_batch_norm(model->module());
  const auto job = toy_job(16, 32);
  const auto images = to_model_input(job.images, tested_device());
  const auto attack = attacks::AttackRegistry::instance().at("ifgsm").make(
      {{"epsilon", 0.1}, {"alpha", 0.02}, {"steps", 10}});
  const auto [recorded, plain] = both([&] {
    return attack->perturb(logits_of(model), images, attacks::Goal(job.labels.to(tested_device())),
                           [](double) {});
  });
  EXPECT_LT((recorded != plain).to(at::kDouble).mean().item<double>(), 1e-3);
}

}  // namespace
}  // namespace sweep::trainer
