#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "tests/trainer/thread_team.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/batches.hpp"
#include "trainer/models/dropout.hpp"
#include "trainer/models/initialization.hpp"
#include "trainer/parallel/batch_norm.hpp"
#include "trainer/training.hpp"

namespace sweep::trainer {
namespace {

struct TinyNetwork : torch::nn::Module {
  TinyNetwork() {
    register_module("conv1", conv1);
    register_module("norm1", norm1);
    register_module("conv2", conv2);
    register_module("norm2", norm2);
    register_module("dropout", dropout);
    register_module("fc", fc);
  }
  torch::nn::Conv2d conv1{torch::nn::Conv2dOptions(3, 6, 3).stride(2).padding(1).bias(false)};
  BatchNorm2d norm1{6};
  torch::nn::Conv2d conv2{torch::nn::Conv2dOptions(6, 8, 3).padding(1).bias(false)};
  BatchNorm2d norm2{8};
  Dropout dropout{0.3};
  torch::nn::Linear fc{8, 3};
};

/// Small, so that tests are quick, and with enough pixels for statistics that are well conditioned.
class TinyClassifier final : public Classifier {
 public:
  Outputs forward(const at::Tensor& images) override {
    const auto encoding = network_->norm1(network_->conv1(images)).relu();
    const auto features = network_->norm2(network_->conv2(encoding)).relu();
    return {network_->fc(network_->dropout(features.mean({2, 3}))), features.flatten(1), encoding};
  }
  torch::nn::Module& module() override { return *network_; }
  void initialize(std::uint64_t seed) override { initialize_layers(*network_, seed); }
  std::int64_t encoding_channels() const override { return 6; }
  std::int64_t encoding_stride() const override { return 2; }

 private:
  std::shared_ptr<TinyNetwork> network_ = std::make_shared<TinyNetwork>();
};

std::unique_ptr<Classifier> make_tiny() {
  auto tiny = std::make_unique<TinyClassifier>();
  tiny->initialize(1);
  return tiny;
}

/// A classifier with a defence in float64, in which rounding can't hide a mistake.
class TestLearner final : public Learner {
 public:
  explicit TestLearner(const std::string& defence, at::ScalarType type = at::kDouble,
                       std::unique_ptr<Classifier> classifier = make_tiny())
      : type_(type), classifier_(std::move(classifier)) {
    if (defence == "distillation") {
      teacher_ = make_tiny();
      teacher_->module().to(type_);
      teacher_->module().eval();
    }
    const auto& entry = DefenceRegistry::instance().at(defence);
    defence_ = entry.make(complete(entry.schema, options_of(defence)), {*classifier_, teacher_});
  }

  std::vector<std::pair<std::string, torch::nn::Module*>> modules() override {
    std::vector<std::pair<std::string, torch::nn::Module*>> all{{"model.", &classifier_->module()}};
    if (auto* module = defence_->module()) all.emplace_back("defence.", module);
    return all;
  }
  void initialize(std::int64_t seed) override {
    classifier_->initialize(derive_seed(seed, "init"));
    defence_->initialize(derive_seed(seed, "init", 1));
    for (const auto& [prefix, module] : modules()) module->to(type_);
  }
  LossTerms loss(const Batch& batch, const Seed& seed) override {
    Batch wide = batch;
    wide.images = batch.images.to(type_);
    return defence_->loss(*classifier_, wide, seed);
  }
  bool is_recordable() const override { return false; }

 private:
  static Json options_of(const std::string& defence) {
    if (defence == "denoising") return denoising_options(1, 1);
    if (defence == "fgsm_training") return {{"epsilon", 8.0 / 255}};
    if (defence == "pgd_training") return {{"epsilon", 8.0 / 255}, {"alpha", 2.0 / 255}};
    return Json::object();
  }

  at::ScalarType type_;
  std::unique_ptr<Classifier> classifier_;
  std::shared_ptr<Classifier> teacher_;
  std::unique_ptr<Defence> defence_;
};

struct Course {
  TrainingResult result;
  std::vector<double> losses;  ///< after every step: mean of the epoch so far
};

/// @param count  images: three steps an epoch, the last of `count` - 16
Course train_double(std::int64_t count, const Parallel& parallel,
                    const std::optional<TrainingState>& resume = {}, TrainingHooks hooks = {},
                    const std::string& defence = "denoising") {
  const auto job = toy_job(count, 16);
  TestLearner learner(defence);
  Batches batches(job.images, job.labels, job.options, at::kCPU);
  Course course;
  const auto also = hooks.on_progress;
  hooks.on_progress = [&](const StepReport& report) {
    course.losses.push_back(report.loss);
    if (also) also(report);
  };
  course.result = train(learner, batches, job.options, at::kCPU, "tiny", resume, hooks, parallel);
  return course;
}

void expect_near(const NamedTensors& actual, const NamedTensors& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, tensor] : expected)
    if (tensor.is_floating_point()) {
      EXPECT_LT(relative_error(actual.at(name), tensor), tolerance) << name;
    } else {
      EXPECT_TRUE(tensor.equal(actual.at(name))) << name;
    }
}

class Shares : public testing::TestWithParam<std::tuple<int, std::int64_t>> {};

TEST_P(Shares, GiveTheLossesAndWeightsOfOneProcessStepByStep) {
  const auto [ranks, count] = GetParam();
  const auto alone = train_double(count, {});
  ASSERT_EQ(alone.losses.size(), 6);
  on_ranks(ranks, [&, count = count](Communicator& communicator) {
    const auto course = train_double(count, {.communicator = &communicator});
    ASSERT_EQ(course.losses.size(), alone.losses.size());
    for (std::size_t step = 0; step < alone.losses.size(); ++step)
      EXPECT_NEAR(course.losses[step], alone.losses[step], 1e-10 * alone.losses[step]) << step;
    expect_near(course.result.tensors, alone.result.tensors, 1e-10);
    EXPECT_EQ(course.result.history.back().accuracy, alone.result.history.back().accuracy);
  });
}

// The last batch: 6 images for 4 ranks; 3 for 4, of which one has nothing to do; 2 for 2.
INSTANTIATE_TEST_SUITE_P(Ranks, Shares,
                         testing::Values(std::tuple(2, 22), std::tuple(4, 22), std::tuple(4, 19),
                                         std::tuple(2, 18)));

TEST(DataParallel, GoesOnWithAnotherNumberOfRanks) {
  const auto alone = train_double(22, {});
  std::optional<TrainingState> state;
  on_ranks(4, [&](Communicator& communicator) {
    int steps = 0;
    TrainingHooks hooks;
    hooks.on_progress = [&](const StepReport&) { ++steps; };
    // One rank alone is asked to stop: all do, behind the same step.
    hooks.stop_requested = [&] { return communicator.rank() == 2 && steps == 4; };
    if (communicator.rank() == 0) hooks.save = [&](const TrainingState& saved) { state = saved; };
    EXPECT_FALSE(train_double(22, {.communicator = &communicator}, {}, hooks).result.finished);
    EXPECT_EQ(steps, 4);
  });
  ASSERT_TRUE(state);
  on_ranks(2, [&](Communicator& communicator) {
    const auto course = train_double(22, {.communicator = &communicator}, state);
    EXPECT_EQ(course.losses.size(), 2);
    expect_near(course.result.tensors, alone.result.tensors, 1e-10);
  });
}

TEST(DataParallel, RefusesRanksThatGoOnFromDifferentSteps) {
  std::optional<TrainingState> state;
  TrainingHooks hooks;
  hooks.stop_requested = [] { return true; };
  hooks.save = [&](const TrainingState& saved) { state = saved; };
  train_double(22, {}, {}, hooks);
  try {
    on_ranks(2, [&](Communicator& communicator) {
      train_double(22, {.communicator = &communicator},
                   communicator.rank() == 0 ? state : std::nullopt);
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.type(), FailureType::bad_data);
    EXPECT_THAT(error.what(), testing::HasSubstr("different steps"));
  }
}

TEST(DataParallel, LocalBatchNormAndCompressionKeepTheRanksTogether) {
  const auto alone = train_double(22, {});
  for (const bool local : {true, false}) {
    std::mutex mutex;
    std::vector<NamedTensors> weights;
    on_ranks(2, [&](Communicator& communicator) {
      const auto course = train_double(22, {.communicator = &communicator,
                                            .synchronised_batch_norm = !local,
                                            .compressed_gradients = !local});
      const std::lock_guard lock(mutex);
      weights.push_back(course.result.tensors);
    });
    const auto& weight = [&](std::size_t rank) { return weights[rank].at("conv1.weight"); };
    EXPECT_TRUE(weight(0).equal(weight(1)));
    const double error = relative_error(weight(0), alone.result.tensors.at("conv1.weight"));
    EXPECT_GT(error, 1e-8);
    EXPECT_LT(error, 0.2);
  }
}

std::vector<std::string> defences() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : DefenceRegistry::instance().entries()) names.push_back(name);
  return names;
}

/// Few pixels in its last layers, and features that hardly differ: rounding errors grow.
TEST(DataParallel, IsTheSameForARealNetwork) {
  const auto train_resnet = [](const Parallel& parallel) {
    auto job = toy_job(16, 64);
    job.options.epochs = 1;
    job.options.learning_rate = 0.001;
    TestLearner learner("denoising", at::kDouble, make_model(3, "half"));
    Batches batches(job.images, job.labels, job.options, at::kCPU);
    return train(learner, batches, job.options, at::kCPU, "resnet18", {}, {}, parallel);
  };
  const auto alone = train_resnet({});
  on_ranks(2, [&](Communicator& communicator) {
    const auto result = train_resnet({.communicator = &communicator});
    EXPECT_NEAR(result.history[0].loss, alone.history[0].loss, 1e-10 * alone.history[0].loss);
    expect_near(result.tensors, alone.tensors, 1e-7);
  });
}

TEST(DataParallel, InFloat32IsTheSameUpToRounding) {
  const auto train_tiny = [](const Parallel& parallel) {
    const auto job = toy_job(22, 16);
    TestLearner learner("denoising", at::kFloat);
    Batches batches(job.images, job.labels, job.options, at::kCPU);
    return train(learner, batches, job.options, at::kCPU, "tiny", {}, {}, parallel);
  };
  const auto alone = train_tiny({});
  on_ranks(4, [&](Communicator& communicator) {
    const auto result = train_tiny({.communicator = &communicator});
    EXPECT_NEAR(result.history[1].loss, alone.history[1].loss, 1e-5 * alone.history[1].loss);
    expect_near(result.tensors, alone.tensors, 1e-5);
  });
}

class EveryDefence : public testing::TestWithParam<std::string> {};

TEST_P(EveryDefence, HasTheLossOfTheWholeBatch) {
  const auto alone = train_double(22, {}, {}, {}, GetParam());
  on_ranks(3, [&](Communicator& communicator) {
    const auto course = train_double(22, {.communicator = &communicator}, {}, {}, GetParam());
    for (std::size_t step = 0; step < alone.losses.size(); ++step)
      EXPECT_NEAR(course.losses[step], alone.losses[step], 1e-10 * alone.losses[step]) << step;
    expect_near(course.result.tensors, alone.result.tensors, 1e-10);
  });
}

INSTANTIATE_TEST_SUITE_P(Defences, EveryDefence, testing::ValuesIn(defences()),
                         [](const auto& defence) { return defence.param; });

}  // namespace
}  // namespace sweep::trainer
