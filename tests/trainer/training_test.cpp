#include "trainer/training.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/inference.hpp"

namespace sweep::trainer {
namespace {

using ::testing::HasSubstr;

TrainingJob uneven_denoising_job() {
  auto job = toy_job(22, 32);  // three steps an epoch, the last of 6 images
  job.defence = "denoising";
  job.defence_options = denoising_options(1, 10);
  job.options.milestones = {0.5};
  return job;
}

void expect_same(const NamedTensors& actual, const NamedTensors& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, tensor] : expected) EXPECT_TRUE(tensor.equal(actual.at(name))) << name;
}

void expect_same(const std::vector<EpochMetrics>& actual,
                 const std::vector<EpochMetrics>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_EQ(actual[i].loss, expected[i].loss);
    EXPECT_EQ(actual[i].classification, expected[i].classification);
    EXPECT_EQ(actual[i].feature, expected[i].feature);
    EXPECT_EQ(actual[i].reconstruction, expected[i].reconstruction);
    EXPECT_EQ(actual[i].accuracy, expected[i].accuracy);
    EXPECT_EQ(actual[i].learning_rate, expected[i].learning_rate);
  }
}

/// Trains in pieces of `steps` steps, each from what the one before it saved.
TrainingResult train_in_pieces(const TrainingJob& job, int steps) {
  std::optional<TrainingState> state;
  for (;;) {
    int done = 0;
    const TrainingHooks hooks{
        .on_progress = [&](const StepReport&) { ++done; },
        .stop_requested = [&] { return done >= steps; },
        .save =
            [&](const TrainingState& saved) {
              const Json text = Json::parse(Json(saved.progress).dump());  // as through a file
              state = TrainingState{text.get<TrainingProgress>(), saved.tensors};
            }};
    auto result = train(job, state, hooks);
    if (result.finished) return result;
    EXPECT_TRUE(result.tensors.empty());
    EXPECT_EQ(done, steps);
  }
}

TEST(Training, ResumedIsBitForBitTheUninterrupted) {
  const auto job = uneven_denoising_job();
  const auto whole = train(job, std::nullopt, {});
  ASSERT_TRUE(whole.finished);
  ASSERT_EQ(whole.history.size(), 2);
  for (const int steps : {1, 2, 3, 4}) {
    SCOPED_TRACE(steps);
    const auto pieces = train_in_pieces(job, steps);
    expect_same(pieces.tensors, whole.tensors);
    expect_same(pieces.history, whole.history);
  }
}

TEST(Training, GivesTheClassifierAlone) {
  auto job = uneven_denoising_job();
  job.options.epochs = 1;
  const auto result = train(job, std::nullopt, {});
  EXPECT_EQ(result.tensors.size(), 122);
  EXPECT_EQ(result.tensors.at("bn1.num_batches_tracked").item<std::int64_t>(), 3);
  EXPECT_TRUE(result.tensors.at("layer1.0.conv1.weight").is_contiguous());
  EXPECT_FALSE(result.tensors.at("fc.weight").requires_grad());
  const auto& metrics = result.history.at(0);
  EXPECT_NEAR(metrics.loss, metrics.classification + metrics.feature + 10 * metrics.reconstruction,
              1e-3);
  EXPECT_EQ(metrics.learning_rate, 0.01);
  EXPECT_GT(metrics.images_per_second, 0);
}

TEST(Training, AnotherSeedGivesAnotherModel) {
  auto job = toy_job(16, 32);
  job.options.epochs = 1;
  const auto first = train(job, std::nullopt, {});
  expect_same(train(job, std::nullopt, {}).tensors, first.tensors);
  job.options.seed = 1;
  EXPECT_FALSE(
      train(job, std::nullopt, {}).tensors.at("fc.weight").equal(first.tensors.at("fc.weight")));
}

TEST(Training, LearnsToyClasses) {
  auto job = toy_job(48, 32);
  job.options.epochs = 6;
  const auto result = train(job, std::nullopt, {});
  EXPECT_LT(result.history.back().loss, result.history.front().loss / 4);
  EXPECT_GT(result.history.back().accuracy, 0.95);
  const auto model = load_classifier(job.model, job.model_options, 3, result.tensors, at::kCPU);
  const auto classes = predict(*model, job.images, at::kCPU).classes;
  EXPECT_GT(classes.eq(job.labels).to(at::kDouble).mean().item<double>(), 0.9);
}

TEST(Training, ReportsProgressAndSavesByTime) {
  auto job = toy_job(16, 32);
  std::vector<StepReport> reports;
  std::vector<std::pair<std::int64_t, std::int64_t>> saved;
  const TrainingHooks hooks{
      .on_progress = [&](const StepReport& report) { reports.push_back(report); },
      .save =
          [&](const TrainingState& s) { saved.emplace_back(s.progress.epoch, s.progress.step); },
      .checkpoint_seconds = 0};
  train(job, std::nullopt, hooks);
  ASSERT_EQ(reports.size(), 4);
  EXPECT_DOUBLE_EQ(reports[0].fraction, 0.25);
  EXPECT_DOUBLE_EQ(reports[3].fraction, 1);
  EXPECT_EQ(reports[1].epoch, 1);
  EXPECT_EQ(reports[2].epoch, 2);
  // Not after the last step: the result is there.
  EXPECT_THAT(saved, ::testing::ElementsAre(std::pair(0, 1), std::pair(1, 0), std::pair(1, 1)));
}

TEST(Training, NamesWhereTheLossStoppedBeingFinite) {
  auto job = toy_job(16, 32);
  job.options.learning_rate = 1e30;
  try {
    train(job, std::nullopt, {});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.type(), FailureType::not_finite);
    EXPECT_THAT(error.what(), HasSubstr("in epoch 1 step 2"));
  }
}

TEST(Training, RefusesDataThatDoNotFit) {
  const auto type_of = [](const TrainingJob& job) {
    try {
      train(job, std::nullopt, {});
    } catch (const Error& error) {
      return error.type();
    }
    return FailureType::internal;
  };
  auto job = toy_job(8, 32);
  job.num_classes = 2;
  EXPECT_EQ(type_of(job), FailureType::bad_data);
  job = toy_job(8, 32);
  job.labels = job.labels.slice(0, 1);
  EXPECT_EQ(type_of(job), FailureType::bad_data);
  job = toy_job(8, 32);
  job.images = job.images.to(at::kFloat);
  EXPECT_EQ(type_of(job), FailureType::bad_data);
  EXPECT_EQ(type_of(toy_job(1, 32)), FailureType::bad_data);
}

TEST(Training, TellsEveryEpochOnceAlsoWhenResumed) {
  const auto job = uneven_denoising_job();
  std::vector<EpochReport> told;
  std::optional<TrainingState> state;
  const auto hooks = [&](std::size_t epochs) {
    return TrainingHooks{.on_epoch = [&](const EpochReport& report) { told.push_back(report); },
                         .stop_requested = [&told, epochs] { return told.size() == epochs; },
                         .save = [&](const TrainingState& saved) { state = saved; }};
  };
  EXPECT_FALSE(train(job, std::nullopt, hooks(1)).finished);
  ASSERT_EQ(told.size(), 1);
  const auto history = train(job, state, hooks(9)).history;
  ASSERT_EQ(told.size(), 2);
  std::vector<EpochMetrics> metrics;
  for (std::int64_t i = 0; i < 2; ++i) {
    const auto& report = told[static_cast<std::size_t>(i)];
    EXPECT_EQ(report.epoch, i + 1);
    EXPECT_EQ(report.step, 3 * (i + 1));
    metrics.push_back(report.metrics);
  }
  expect_same(metrics, history);
}

TEST(Training, RefusesTheStateOfAnotherTraining) {
  auto job = uneven_denoising_job();
  std::optional<TrainingState> state;
  train(job, std::nullopt,
        {.stop_requested = [] { return true; },
         .save = [&](const TrainingState& saved) { state = saved; }});
  job.defence_options = denoising_options(1, 0);
  EXPECT_THROW(train(job, state, {}), Error);
}

TEST(Training, TakesALastBatchOfOneImage) {
  auto job = toy_job(9, 16);  // 1x1 in the last stage: a batch of one would have no variance
  job.options.epochs = 1;
  EXPECT_TRUE(train(job, std::nullopt, {}).finished);
}

}  // namespace
}  // namespace sweep::trainer
