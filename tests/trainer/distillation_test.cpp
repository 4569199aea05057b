#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/batches.hpp"
#include "trainer/inference.hpp"

namespace sweep::trainer {
namespace {

std::unique_ptr<Defence> make_with_temperature(const std::string& name, double temperature,
                                               std::shared_ptr<Classifier> teacher,
                                               const Classifier& model) {
  const auto& entry = DefenceRegistry::instance().at(name);
  return entry.make(complete(entry.schema, {{"temperature", temperature}}),
                    {model, std::move(teacher)});
}

std::shared_ptr<Classifier> with_fixed_weights(std::shared_ptr<Classifier> model) {
  model->module().eval();
  for (auto& parameter : model->module().parameters()) parameter.set_requires_grad(false);
  return model;
}

TEST(Temperature, DividesTheLogitsAndKeepsTheGradientsSize) {
  const auto model = make_model(3);
  model->module().eval();
  const auto images = at::rand({4, 3, 32, 32});
  const auto labels = at::tensor({0, 1, 2, 0}, at::kLong);
  const auto terms = make_with_temperature("temperature", 5, nullptr, *model)
                         ->loss(*model, whole_batch(images, labels), 1);
  const auto expected = 5 * at::cross_entropy_loss(model->forward(images).logits / 5, labels);
  EXPECT_NEAR(terms.total.item<double>(), expected.item<double>(), 1e-5);
}

TEST(Distillation, IsTheCrossEntropyWithTheTeachersSoftLabels) {
  const auto model = make_model(3);
  model->module().eval();
  std::shared_ptr<Classifier> teacher = make_model(3);
  teacher->initialize(7);
  with_fixed_weights(teacher);
  const auto images = at::rand({4, 3, 32, 32});
  const auto labels = at::zeros({4}, at::kLong);
  const auto terms = make_with_temperature("distillation", 4, teacher, *model)
                         ->loss(*model, whole_batch(images, labels), 1);
  const auto p = at::softmax(teacher->forward(images).logits / 4, 1);
  const auto log_q = at::log_softmax(model->forward(images).logits / 4, 1);
  EXPECT_NEAR(terms.total.item<double>(), (-4 * (p * log_q).sum(1).mean()).item<double>(), 1e-5);
  terms.total.backward();
  for (const auto& parameter : teacher->module().parameters())
    EXPECT_FALSE(parameter.grad().defined());
}

TEST(Distillation, NeedsATeacher) {
  const auto model = make_model(3);
  EXPECT_THROW(make_with_temperature("distillation", 20, nullptr, *model), Error);
}

TEST(Distillation, StudentLearnsFromTheTeacherAlone) {
  auto job = toy_job(48, 32);
  job.options.epochs = 8;
  job.defence = "temperature";
  job.defence_options = {{"temperature", 10.0}};
  const auto taught = train(job, std::nullopt, {});
  job.teacher = load_classifier(job.model, job.model_options, 3, taught.tensors, at::kCPU);
  const auto truth = job.labels;
  job.labels = at::zeros_like(job.labels);  // of no use to the student
  job.defence = "distillation";
  job.defence_options =
      complete(DefenceRegistry::instance().at("distillation").schema, {{"temperature", 10.0}});
  const auto student = train(job, std::nullopt, {});
  const auto model = load_classifier(job.model, job.model_options, 3, student.tensors, at::kCPU);
  const auto classes = predict(*model, job.images, at::kCPU).classes;
  EXPECT_GT(classes.eq(truth).to(at::kDouble).mean().item<double>(), 0.9);
}

}  // namespace
}  // namespace sweep::trainer
