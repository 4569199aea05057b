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

attacks::RecorderFactory real_factory = nullptr;
int replays = 0;

/// The device's own, counted: work that could not be recorded would give the same, too.
class CountedRecording final : public attacks::Recording {
 public:
  explicit CountedRecording(std::unique_ptr<Recording> real) : real_(std::move(real)) {}
  void record(const std::function<void()>& operations) override { real_->record(operations); }
  void replay() override {
    real_->replay();
    ++replays;
  }

 private:
  std::unique_ptr<Recording> real_;
};

class CountedRecorder final : public attacks::Recorder {
 public:
  std::unique_ptr<attacks::Recording> make() override {
    return std::make_unique<CountedRecording>(real_->make());
  }

 private:
  std::unique_ptr<attacks::Recorder> real_{real_factory()};
};

class Graphs : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!tested_device().is_cuda()) GTEST_SKIP() << "there is no GPU";
    real_factory = attacks::set_recorder_factory(at::kCUDA, nullptr);
    ASSERT_TRUE(real_factory) << "sweep_cuda.so has not been loaded";
    use_graphs();
  }
  void TearDown() override {
    if (real_factory) attacks::set_recorder_factory(at::kCUDA, real_factory);
  }
  static void use_graphs() {
    replays = 0;
    attacks::set_recorder_factory(at::kCUDA,
                                  []() -> attacks::Recorder* { return new CountedRecorder; });
  }

  /// What `run` gives with graphs, and without them.
  template <class Run>
  static auto both(const Run& run) {
    use_graphs();
    auto recorded = run();
    EXPECT_GT(replays, 0);
    attacks::set_recorder_factory(at::kCUDA, nullptr);
    auto plain = run();
    use_graphs();
    return std::pair(std::move(recorded), std::move(plain));
  }
};

TEST_F(Graphs, OfTrainingStepsGiveTheSame) {
  auto job = toy_job(38, 32);  // four whole batches and a smaller one
  job.device = tested_device();
  // VGG has dropout: random numbers that are drawn within the graph.
  for (const auto* model : {"resnet18", "vgg11_bn"})
    for (const auto* precision : {"float32", "bf16"}) {
      job.model = model;
      job.model_options = complete(ModelRegistry::instance().at(model).schema, Json::object());
      job.defence = "denoising";
      job.defence_options = denoising_options(1, 10);
      job.options.precision = precision;
      const auto [recorded, plain] = both([&] { return train(job, std::nullopt, {}); });
      for (const auto& [name, tensor] : plain.tensors)
        EXPECT_LT(relative_error(recorded.tensors.at(name), tensor), 1e-3)
            << name << ' ' << model << ' ' << precision;
    }
}

TEST_F(Graphs, OfAttackStepsGiveTheSame) {
  const auto job = toy_job(16, 32);
  const auto trained = train(job, std::nullopt, {});
  const auto model =
      load_classifier("resnet18", job.model_options, 3, trained.tensors, tested_device());
  fold_batch_norm(model->module());
  const auto images = to_model_input(job.images, tested_device());
  const std::pair<const char*, Json> attacks[] = {
      {"ifgsm", {{"epsilon", 0.1}, {"alpha", 0.02}, {"steps", 10}}},
      {"cw", {{"iterations", 40}, {"binary_search_steps", 3}}}};
  for (const auto& [name, options] : attacks) {
    const auto& entry = attacks::AttackRegistry::instance().at(name);
    const auto attack = entry.make(complete(entry.schema, options));
    const auto [recorded, plain] = both([&] {
      return attack->perturb(logits_of(model), images,
                             attacks::Goal(job.labels.to(tested_device())), [](double) {});
    });
    EXPECT_LT((recorded - plain).abs().mean().item<double>(), 1e-4) << name;
  }
}

/// What a device refuses to record leaves nothing behind: neither for random numbers, nor for
/// memory, nor for the next recording.
TEST_F(Graphs, CanBeRefused) {
  attacks::RecordedFunction waits([](const auto& inputs) {
    return attacks::RecordedFunction::Tensors{inputs[0] * inputs[0].sum().template item<double>()};
  });
  const auto x = at::ones({8}, at::TensorOptions(tested_device()));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(waits({x})[0].sum().item<double>(), 64);
  EXPECT_EQ(replays, 0);
  EXPECT_EQ(at::dropout(x, 0.5, true).numel(), 8);
  attacks::RecordedFunction doubles(
      [](const auto& inputs) { return attacks::RecordedFunction::Tensors{inputs[0] * 2}; });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(doubles({x})[0].sum().item<double>(), 16);
  EXPECT_EQ(replays, 2);
}

}  // namespace
}  // namespace sweep::trainer
