#include <gtest/gtest.h>

#include "attacks/recorded_function.hpp"
#include "core/error.hpp"
#include "tests/support/fake_recorder.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/batches.hpp"
#include "trainer/inference.hpp"
#include "trainer/models/recomputation.hpp"
#include "trainer/preprocessor_training.hpp"
#include "trainer/preprocessors/preprocessor.hpp"

namespace sweep::trainer {
namespace {

using sweep::test_support::recordings;
using sweep::test_support::replays;

class RecordedTraining : public ::testing::Test {
 protected:
  void SetUp() override { record(true); }
  void TearDown() override { attacks::set_recorder_factory(at::kCUDA, nullptr); }
  static void record(bool wanted) {
    recordings = replays = 0;
    attacks::set_recorder_factory(at::kCPU,
                                  wanted ? sweep::test_support::make_fake_recorder : nullptr);
  }

  template <class Job>
  static void expect_the_same_without(const Job& job) {
    const auto recorded = train(job, std::nullopt, {});
    EXPECT_EQ(recordings, 2) << "a whole batch and the last one";
    EXPECT_GT(replays, 0);
    record(false);
    const auto plain = train(job, std::nullopt, {});
    ASSERT_EQ(recorded.tensors.size(), plain.tensors.size());
    for (const auto& [name, tensor] : plain.tensors)
      EXPECT_TRUE(tensor.equal(recorded.tensors.at(name))) << name;
    for (std::size_t i = 0; i < plain.history.size(); ++i) {
      EXPECT_EQ(recorded.history[i].loss, plain.history[i].loss);
      EXPECT_EQ(recorded.history[i].feature, plain.history[i].feature);
      EXPECT_EQ(recorded.history[i].accuracy, plain.history[i].accuracy);
    }
  }
};

TrainingJob job_with(const std::string& defence, const Json& options) {
  auto job = toy_job(22, 32);  // three steps an epoch, the last of 6 images
  job.defence = defence;
  job.defence_options = options;
  return job;
}

TEST_F(RecordedTraining, GivesTheSame) {
  expect_the_same_without(job_with("none", Json::object()));
}

TEST_F(RecordedTraining, DrawsNewNoiseInEveryStep) {
  expect_the_same_without(job_with("denoising", denoising_options(1, 10)));
}

/// The paper's loss, as a learner that is recorded or takes the way of several ranks.
class DenoisingLearner final : public Learner {
 public:
  explicit DenoisingLearner(bool recordable) : recordable_(recordable) {}

  std::vector<std::pair<std::string, torch::nn::Module*>> modules() override {
    return {{"model.", &model_->module()}};
  }
  void initialize(std::int64_t seed) override { model_->initialize(seed); }
  LossTerms loss(const Batch& batch, const Seed& seed) override {
    return defence_->loss(*model_, batch, seed);
  }
  bool is_recordable() const override { return recordable_; }

 private:
  bool recordable_;
  std::unique_ptr<Classifier> model_ = make_model(3, "half");
  std::unique_ptr<Defence> defence_ = make_denoising(*model_, 1, 0);
};

TEST_F(RecordedTraining, HasTheSeedsOfOtherTrainings) {
  const auto job = toy_job(22, 32);
  const auto trained = [&](bool recordable) {
    DenoisingLearner learner(recordable);
    Batches batches(job.images, job.labels, job.options, at::kCPU);
    return train(learner, batches, job.options, at::kCPU, "toy", std::nullopt, {}).tensors;
  };
  const auto recorded = trained(true);
  EXPECT_GT(replays, 0);
  for (const auto& [name, tensor] : trained(false))
    EXPECT_TRUE(tensor.equal(recorded.at(name))) << name;
}

TEST_F(RecordedTraining, UsesAdam) {
  auto job = job_with("denoising", denoising_options(1, 0));
  job.options.optimizer = "adam";
  expect_the_same_without(job);
}

TEST_F(RecordedTraining, OfAPreprocessor) {
  const auto toy = toy_job(22, 32);
  const auto& entry = PreprocessorRegistry::instance().at("reformer");
  expect_the_same_without(PreprocessorJob{
      .preprocessor = "reformer",
      .preprocessor_options = complete(entry.schema, {{"epochs", 2}, {"batch_size", 8}}),
      .images = toy.images,
      .labels = toy.labels});
}

TEST_F(RecordedTraining, IsNotForLossesThatTheHostTakesPartIn) {
  const auto& entry = DefenceRegistry::instance().at("fgsm_training");
  train(job_with("fgsm_training", complete(entry.schema, {{"epsilon", 0.05}})), std::nullopt, {});
  EXPECT_EQ(replays, 0);
}

TEST_F(RecordedTraining, IsNotForTrainingsThatSaveMemory) {
  const MemoryLevel level(1);
  train(job_with("none", Json::object()), std::nullopt, {});
  EXPECT_EQ(recordings, 0);
}

TEST(SeedOfAStep, IsForTheDeviceAloneOnceItIsRecorded) {
  const Seed seed = 0x123456789abcdef0;
  const auto halves = seed.halves(at::kCPU);
  EXPECT_EQ(halves[0].item<std::int64_t>(), 0x9abcdef0);
  EXPECT_EQ(halves[1].item<std::int64_t>(), 0x12345678);
  EXPECT_EQ(seed.value(), 0x123456789abcdef0);
  EXPECT_THROW(Seed(halves).value(), Error);
}

}  // namespace
}  // namespace sweep::trainer
