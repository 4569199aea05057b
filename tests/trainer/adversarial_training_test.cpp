#include <gtest/gtest.h>

#include <cmath>

#include "attacks/goal.hpp"
#include "attacks/gradient.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/batches.hpp"
#include "trainer/defences/evaluation_mode.hpp"
#include "trainer/inference.hpp"
#include "trainer/module_state.hpp"

namespace sweep::trainer {
namespace {

constexpr double kEpsilon = 16.0 / 255;

Json options_of(const std::string& defence) {
  return defence == "pgd_training"
             ? Json{{"epsilon", kEpsilon}, {"alpha", kEpsilon / 4}, {"steps", 7}}
             : Json{{"epsilon", kEpsilon},
                    {"lambda", 0.3},
                    {"adversarial_part", 0.5},
                    {"random_epsilon", true}};
}

std::unique_ptr<Defence> make_defence(const std::string& name, const Json& options,
                                      const Classifier& model) {
  return DefenceRegistry::instance().at(name).make(options, {model, nullptr});
}

TEST(EvaluationMode, IsLeftAsItWas) {
  const auto model = make_model(3);
  model->module().train();
  {
    const EvaluationMode mode(*model);
    EXPECT_FALSE(model->module().is_training());
  }
  EXPECT_TRUE(model->module().is_training());
}

class AdversarialTraining : public ::testing::TestWithParam<std::string> {};

struct Losses {
  double adversarial, clean;
};

/// Cross-entropies, on what ten steps of I-FGSM against the model itself leave and on clean images.
Losses losses_of(Classifier& model, const TrainingJob& job) {
  const auto logits = [&](const at::Tensor& x) { return model.forward(x).logits; };
  const auto attack = attacks::AttackRegistry::instance().at("ifgsm").make(
      {{"epsilon", kEpsilon}, {"alpha", kEpsilon / 4}, {"steps", 10}});
  const auto images = to_model_input(job.images, at::kCPU);
  const auto adversarial =
      attack->perturb(logits, images, attacks::Goal(job.labels), [](double) {});
  const auto loss = [&](const at::Tensor& x) {
    return at::cross_entropy_loss(logits(x), job.labels).item<double>();
  };
  return {loss(adversarial), loss(images)};
}

/// Those of a model which has been trained on clean images, after some steps with the defence. Both
/// defences begin with the same model, and what they do is short and slow: longer or faster
/// trainings on so few images hang on their rounding, which differs from processor to processor.
Losses losses_after_steps_of(const std::string& defence) {
  constexpr int kSteps = 24;
  auto job = toy_job(48, 32);
  job.options.epochs = 3;
  job.options.learning_rate = 0.001;
  const auto trained = train(job, {}, {});
  const auto model = make_model(3);
  copy_state(trained.tensors, state_of(model->module()), "the model");
  const auto loss =
      make_defence(defence, defence == "none" ? Json::object() : options_of(defence), *model);
  const auto batch = whole_batch(to_model_input(job.images, at::kCPU), job.labels);
  model->module().train();
  for (int step = 0; step < kSteps; ++step) {
    for (auto& parameter : model->module().parameters()) parameter.mutable_grad() = at::Tensor();
    loss->loss(*model, batch, step).total.backward();
    const at::NoGradGuard no_grad;
    for (auto& parameter : model->module().parameters()) parameter.sub_(0.01 * parameter.grad());
  }
  model->module().eval();
  return losses_of(*model, job);
}

/// With each of six seeds fgsm_training left 0.62 to 0.78 of the loss.
TEST_P(AdversarialTraining, MakesAModelHarderToAttack) {
  const auto defended = losses_after_steps_of(GetParam()), plain = losses_after_steps_of("none");
  EXPECT_LT(defended.adversarial, 0.9 * plain.adversarial);
  // Less than half of what guessing leaves: it has not become robust by knowing nothing.
  EXPECT_LT(defended.clean, 0.5 * std::log(3.0));
}

TEST_P(AdversarialTraining, FollowsItsSeedAndMovesNoStatisticsByAttacking) {
  const auto images = at::rand({4, 3, 32, 32});
  const auto labels = at::tensor({0, 1, 2, 0}, at::kLong);
  const auto run = [&](std::uint64_t seed) {
    const auto model = make_model(3);
    model->module().train();
    const auto terms = make_defence(GetParam(), options_of(GetParam()), *model)
                           ->loss(*model, whole_batch(images, labels), seed);
    EXPECT_EQ(state_of(model->module()).at("bn1.num_batches_tracked").item<std::int64_t>(), 1);
    EXPECT_TRUE(model->module().is_training());
    EXPECT_EQ(terms.clean_logits.sizes(), (at::IntArrayRef{4, 3}));
    for (const auto& parameter : model->module().parameters())
      EXPECT_FALSE(parameter.grad().defined());
    return terms.total.item<double>();
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(1ULL << 40));
}

INSTANTIATE_TEST_SUITE_P(, AdversarialTraining, ::testing::Values("pgd_training", "fgsm_training"),
                         [](const auto& tested) { return tested.param; });

TEST(FgsmTraining, WeighsAdversarialImagesByLambda) {
  const auto model = make_model(3);
  model->module().eval();  // so that the loss can be worked out image by image
  const auto images = at::rand({4, 3, 32, 32});
  const auto labels = at::tensor({0, 1, 2, 0}, at::kLong);
  Json options = options_of("fgsm_training");
  options["random_epsilon"] = false;
  const auto loss = [&](const Json& given) {
    return make_defence("fgsm_training", given, *model)
        ->loss(*model, whole_batch(images, labels), 1)
        .total.item<double>();
  };
  const auto logits = [&](const at::Tensor& x) { return model->forward(x).logits; };
  const attacks::Goal goal(logits(images).argmin(1), true, 0);
  const auto adversarial =
      (images + kEpsilon * attacks::loss_gradient(logits, images, goal).sign()).clamp(0, 1);
  const auto losses = [&](const at::Tensor& x) {
    return at::cross_entropy_loss(logits(x), labels, {}, at::Reduction::None);
  };
  const auto made = losses(adversarial), clean = losses(images);
  const double expected = (0.3 * (made[0] + made[1]) + clean[2] + clean[3]).item<double>() / 2.6;
  EXPECT_NEAR(loss(options), expected, 1e-5);
  options["adversarial_part"] = 0.0;
  EXPECT_NEAR(loss(options), clean.mean().item<double>(), 1e-5);
}

}  // namespace
}  // namespace sweep::trainer
