#include "trainer/preprocessors/preprocessor.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/nn/module.h>

#include "attacks/goal.hpp"
#include "attacks/gradient.hpp"
#include "tests/trainer/thread_team.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/inference.hpp"
#include "trainer/module_state.hpp"
#include "trainer/preprocessor_training.hpp"
#include "trainer/preprocessors/preprocessed_classifier.hpp"

namespace sweep::trainer {
namespace {

/// Every registered preprocessor in its smallest useful form.
Json small_options(const std::string& name, const Json& more = Json::object()) {
  Json given{{"epochs", 2}, {"batch_size", 8}};
  if (name == "hgd") given.update({{"width", 2}, {"training_attacks", {"a", "b"}}});
  given.update(more);
  return complete(PreprocessorRegistry::instance().at(name).schema, given);
}

std::unique_ptr<Preprocessor> make_preprocessor(const std::string& name,
                                                const Json& more = Json::object()) {
  auto made = PreprocessorRegistry::instance().at(name).make(small_options(name, more));
  made->initialize(3);
  return made;
}

std::vector<std::string> names() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : PreprocessorRegistry::instance().entries())
    names.push_back(name);
  return names;
}

/// Training images with two adversarial sets: fixed patterns stand in for attacks.
PreprocessorJob small_job(const std::string& name, const Json& more = Json::object()) {
  const auto toy = toy_job(20, 32);
  PreprocessorJob job{.preprocessor = name,
                      .preprocessor_options = small_options(name, more),
                      .images = toy.images,
                      .labels = toy.labels};
  if (name != "hgd") return job;
  const auto clean = toy.images.to(at::kFloat) / 255;
  const auto columns = at::arange(32).remainder(2).to(at::kFloat) * 0.1;
  for (const auto& pattern : {columns, columns.view({32, 1})})
    job.adversarial_sets.push_back(clean * 0.9 + pattern);
  std::shared_ptr<Classifier> guide = make_model(3);
  guide->module().eval();
  for (auto& parameter : guide->module().parameters()) parameter.set_requires_grad(false);
  job.guide = guide;
  return job;
}

class EveryPreprocessor : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryPreprocessor, KeepsShapesOfAnySize) {
  const auto preprocessor = make_preprocessor(GetParam());
  for (const auto& [height, width] : {std::pair(32, 32), std::pair(37, 50), std::pair(16, 17)})
    EXPECT_EQ(preprocessor->forward(at::rand({2, 3, height, width})).sizes(),
              (at::IntArrayRef{2, 3, height, width}));
}

TEST_P(EveryPreprocessor, FollowsFromItsSeed) {
  const auto images = at::rand({2, 3, 32, 32});
  const auto job = small_job(GetParam());
  const auto first = train(job, std::nullopt, {}), again = train(job, std::nullopt, {});
  for (const auto& [name, tensor] : first.tensors)
    EXPECT_TRUE(tensor.equal(again.tensors.at(name))) << name;
  auto other_job = job;
  other_job.preprocessor_options["seed"] = 1;
  const auto other = train(other_job, std::nullopt, {});
  EXPECT_FALSE(std::all_of(first.tensors.begin(), first.tensors.end(), [&](const auto& item) {
    return item.second.equal(other.tensors.at(item.first));
  }));
}

TEST_P(EveryPreprocessor, ResumedIsBitForBitTheUninterrupted) {
  const auto job = small_job(GetParam());
  const auto whole = train(job, std::nullopt, {});
  std::optional<TrainingState> state;
  TrainingResult pieces;
  while (!pieces.finished) {
    int done = 0;
    pieces = train(job, state,
                   {.on_progress = [&](const StepReport&) { ++done; },
                    .stop_requested = [&] { return done >= 2; },
                    .save = [&](const TrainingState& saved) { state = saved; }});
  }
  ASSERT_EQ(pieces.tensors.size(), whole.tensors.size());
  for (const auto& [name, tensor] : whole.tensors)
    EXPECT_TRUE(tensor.equal(pieces.tensors.at(name))) << name;
}

/// What train() makes of a job, in float64, in which rounding can't hide a mistake.
class WideLearner final : public Learner {
 public:
  explicit WideLearner(const PreprocessorJob& job)
      : job_(job), preprocessor_(make_preprocessor(job.preprocessor, job.preprocessor_options)) {
    if (job.guide) job.guide->module().to(at::kDouble);
  }

  std::vector<std::pair<std::string, torch::nn::Module*>> modules() override {
    return {{"preprocessor.", &preprocessor_->module()}};
  }
  void initialize(std::int64_t seed) override {
    preprocessor_->initialize(static_cast<std::uint64_t>(seed));
    preprocessor_->module().to(at::kDouble);
  }
  LossTerms loss(const Batch& batch, const Seed& seed) override {
    Batch wide = batch;
    wide.images = batch.images.to(at::kDouble);
    if (batch.adversarial.defined()) wide.adversarial = batch.adversarial.to(at::kDouble);
    return preprocessor_->loss(wide, job_.guide.get(), seed);
  }
  bool is_recordable() const override { return false; }

  TrainingResult train(const Parallel& parallel) {
    const auto& options = preprocessor_->training();
    Batches batches(job_.images, job_.labels, options, at::kCPU, job_.adversarial_sets);
    return trainer::train(*this, batches, options, at::kCPU, job_.preprocessor, {}, {}, parallel);
  }

 private:
  PreprocessorJob job_;
  std::unique_ptr<Preprocessor> preprocessor_;
};

TEST_P(EveryPreprocessor, IsTheSameFromSeveralRanks) {
  const auto alone = WideLearner(small_job(GetParam())).train({});
  on_ranks(3, [&](Communicator& communicator) {
    const auto shared = WideLearner(small_job(GetParam())).train({.communicator = &communicator});
    for (std::size_t epoch = 0; epoch < alone.history.size(); ++epoch)
      EXPECT_NEAR(shared.history[epoch].loss, alone.history[epoch].loss,
                  1e-9 * alone.history[epoch].loss);
    for (const auto& [name, tensor] : alone.tensors)
      EXPECT_LT(relative_error(shared.tensors.at(name).to(at::kDouble), tensor.to(at::kDouble)),
                1e-7)
          << name;
  });
}

/// The ranks of a task come in by the job.
TEST_P(EveryPreprocessor, IsTrainedByTheRanksOfItsJob) {
  const auto alone = train(small_job(GetParam()), std::nullopt, {});
  on_ranks(2, [&](Communicator& communicator) {
    auto job = small_job(GetParam());
    job.parallel.communicator = &communicator;
    const auto shared = train(job, std::nullopt, {});
    EXPECT_NEAR(shared.history.back().loss, alone.history.back().loss,
                1e-3 * alone.history.back().loss);
    // One rank alone is asked to stop: all do.
    const bool asked = communicator.rank() == 1;
    EXPECT_FALSE(train(job, std::nullopt, {.stop_requested = [&] { return asked; }}).finished);
  });
}

TEST_P(EveryPreprocessor, LearnsToComeNearer) {
  const auto job = small_job(GetParam(), {{"epochs", 12}, {"learning_rate", 0.01}});
  const auto result = train(job, std::nullopt, {});
  EXPECT_LT(result.history.back().loss, 0.9 * result.history.front().loss);
}

TEST_P(EveryPreprocessor, IsTrainedInEveryParameter) {
  auto job = small_job(GetParam(), {{"epochs", 3}});
  const auto trained = train(job, std::nullopt, {});
  const auto fresh = make_preprocessor(GetParam());
  const auto start = copied_to_cpu(state_of(fresh->module()));
  for (const auto& item : fresh->module().named_parameters())
    EXPECT_FALSE(trained.tensors.at(item.key()).equal(start.at(item.key()))) << item.key();
}

/// A white-box attack differentiates through it: the gradient of the whole is that of finite
/// differences.
TEST_P(EveryPreprocessor, PassesGradientsOnToTheImages) {
  const auto options = small_options(GetParam());
  const auto trained = train(small_job(GetParam()), std::nullopt, {});
  std::shared_ptr<Preprocessor> preprocessor =
      load_preprocessor(GetParam(), options, trained.tensors, at::kCPU);
  std::shared_ptr<Classifier> classifier = make_model(3);
  classifier->module().eval();
  preprocessor->module().to(at::kDouble);
  classifier->module().to(at::kDouble);
  PreprocessedClassifier both(preprocessor, classifier);

  const auto images = at::rand({1, 3, 32, 32}, at::kDouble);
  const auto label = at::tensor({1}, at::kLong);
  const auto logits = [&](const at::Tensor& x) { return both.forward(x).logits; };
  const auto gradient = attacks::loss_gradient(logits, images, attacks::Goal(label));
  const auto direction = at::randn_like(images);
  constexpr double kStep = 1e-7;  // short: a ReLU may have its kink there
  const auto loss = [&](double t) {
    return at::cross_entropy_loss(logits(images + t * direction), label).item<double>();
  };
  const double difference = (loss(kStep) - loss(-kStep)) / (2 * kStep);
  const double slope = (gradient * direction).sum().item<double>();
  EXPECT_NEAR(slope, difference, 1e-4 * std::abs(difference) + 1e-7);
  // And it is not the gradient of the classifier alone.
  const auto bare = [&](const at::Tensor& x) { return classifier->forward(x).logits; };
  EXPECT_FALSE(
      at::allclose(gradient, attacks::loss_gradient(bare, images, attacks::Goal(label)), 1e-3));
}

INSTANTIATE_TEST_SUITE_P(All, EveryPreprocessor, ::testing::ValuesIn(names()));

std::int64_t parameter_count(Preprocessor& preprocessor) {
  std::int64_t count = 0;
  for (const auto& parameter : preprocessor.module().parameters()) count += parameter.numel();
  return count;
}

TEST(Reformer, HasTheOriginalsLayers) {
  // 3x3 convolutions of three channels with biases: 84 parameters each.
  EXPECT_EQ(parameter_count(*make_preprocessor("reformer")), 3 * 84);
  EXPECT_EQ(parameter_count(*make_preprocessor("reformer", {{"variant", "mnist"}})), 5 * 84);
}

TEST(Reformer, StaysInTheUnitRangeAndPoolsInTheMnistVariant) {
  const auto image = at::zeros({1, 3, 16, 16});
  image[0][0][4][5] = 1;
  const auto reach = [&](const std::string& variant) {
    const auto preprocessor = make_preprocessor("reformer", {{"variant", variant}});
    const auto change = preprocessor->forward(image) - preprocessor->forward(at::zeros_like(image));
    EXPECT_GE(preprocessor->forward(image).min().item<float>(), 0);
    EXPECT_LE(preprocessor->forward(image).max().item<float>(), 1);
    return change.abs().sum(1).gt(1e-9).sum().item<std::int64_t>();
  };
  EXPECT_LE(reach("cifar"), 49);  // three 3x3 convolutions see 7x7 pixels
  EXPECT_GT(reach("mnist"), 49);
}

TEST(Hgd, StartsAsTheIdentity) {
  const auto images = at::rand({2, 3, 32, 32});
  EXPECT_TRUE(make_preprocessor("hgd")->forward(images).equal(images));
}

TEST(Hgd, HasTheUnetOfThePaper) {
  // Counted by hand from the widths 64, 128, 256, 256, 256 down and 256, 256, 128, 64 up with 2 + 3
  // * 4 and 3 * 3 + 2 convolutions: 9 * in * out + 2 * out each, and 64 * 3 + 3 at the end.
  const std::vector<std::pair<int, int>> layers{
      {3, 64},    {64, 64},   {64, 128},  {128, 128}, {128, 128}, {128, 256}, {256, 256},
      {256, 256}, {256, 256}, {256, 256}, {256, 256}, {256, 256}, {256, 256}, {256, 256},
      {512, 256}, {256, 256}, {256, 256}, {512, 256}, {256, 256}, {256, 256}, {384, 128},
      {128, 128}, {128, 128}, {192, 64},  {64, 64}};
  std::int64_t expected = 64 * 3 + 3;
  for (const auto& [in, out] : layers) expected += 9 * in * out + 2 * out;
  EXPECT_EQ(parameter_count(*make_preprocessor("hgd", {{"width", 64}})), expected);
}

TEST(Hgd, LossIsTheDistanceThatItsGuidanceNames) {
  const auto job = small_job("hgd");
  const auto clean = job.images.to(at::kFloat) / 255;
  const Batch batch{clean, job.labels, job.adversarial_sets.front()};
  const auto loss = [&](const std::string& guidance) {
    return make_preprocessor("hgd", {{"guidance", guidance}})
        ->loss(batch, job.guide.get(), 1)
        .total.item<double>();
  };
  // A fresh network changes nothing: the distances are those of the adversarial images.
  const auto outputs = job.guide->forward(batch.adversarial), wanted = job.guide->forward(clean);
  const auto l1 = [](const at::Tensor& a, const at::Tensor& b) {
    return (a - b).abs().mean().item<double>();
  };
  EXPECT_NEAR(loss("pixel"), l1(batch.adversarial, clean), 1e-6);
  EXPECT_NEAR(loss("feature"), l1(outputs.features, wanted.features), 1e-6);
  EXPECT_NEAR(loss("logits"), l1(outputs.logits, wanted.logits), 1e-6);
}

TEST(Hgd, LeavesItsGuideAsItWas) {
  const auto job = small_job("hgd");
  const auto before = copied_to_cpu(state_of(job.guide->module()));
  train(job, std::nullopt, {});
  for (const auto& [name, tensor] : state_of(job.guide->module()))
    EXPECT_TRUE(tensor.equal(before.at(name))) << name;
}

TEST(PreprocessorTraining, RefusesSetsOfOtherImages) {
  auto job = small_job("hgd");
  job.adversarial_sets[1] = job.adversarial_sets[1].slice(0, 1);
  EXPECT_THROW(train(job, std::nullopt, {}), Error);
}

TEST(PreprocessedClassifier, IsTheClassifierBehindThePreprocessor) {
  const std::shared_ptr<Preprocessor> preprocessor = make_preprocessor("reformer");
  const std::shared_ptr<Classifier> classifier = make_model(3);
  classifier->module().eval();
  PreprocessedClassifier both(preprocessor, classifier);
  const auto images = at::rand({2, 3, 32, 32});
  EXPECT_TRUE(
      both.forward(images).logits.equal(classifier->forward(preprocessor->forward(images)).logits));
}

}  // namespace
}  // namespace sweep::trainer
