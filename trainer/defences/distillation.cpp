#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/error.hpp"
#include "trainer/batches.hpp"
#include "trainer/defences/defence.hpp"
#include "trainer/defences/temperature.hpp"
#include "trainer/tensors.hpp"

namespace sweep::trainer {
namespace {

struct DistillationOptions {
  double temperature = 20;
  std::string teacher = "temperature";
  std::int64_t teacher_seed = 1000;
};

const OptionTable<DistillationOptions> kDistillationOptions = {
    temperature_option<DistillationOptions>(),
    {"teacher",
     &DistillationOptions::teacher,
     {.doc = "defence that the teacher, a model of the same kind, is trained with; options that "
             "both have are the same"}},
    {"teacher_seed",
     &DistillationOptions::teacher_seed,
     {.doc = "training.seed of the teacher: another one, or both would start alike"}},
};

/// Defensive distillation of Papernot et al., "Distillation as a Defense to Adversarial
/// Perturbations against Deep Neural Networks" (2016, arXiv:1511.04508): the cross-entropy of
/// softmax(logits / T) with what a teacher of the same architecture, trained at T, says at T. The
/// teacher sees each batch as it is augmented.
class Distillation final : public Defence {
 public:
  Distillation(const DistillationOptions& options, const DefenceContext& context)
      : options_(options), teacher_(context.teacher) {
    if (!teacher_)
      throw Error(
          FailureType::internal,
          "distillation was given no teacher (it learns from one); this is a bug of the plan");
  }

  bool is_recordable() const override { return true; }

  /// The labels count only as far as the teacher has learnt them.
  LossTerms loss(Classifier& classifier, const Batch& batch, const Seed&) override {
    const double t = options_.temperature;
    at::Tensor soft_labels;
    {
      const at::NoGradGuard no_grad;
      soft_labels = at::softmax(teacher_->forward(batch.images).logits / t, 1);
    }
    const auto logits = classifier.forward(batch.images).logits;
    const auto loss = t * at::cross_entropy_loss(logits / t, soft_labels);
    return {.total = loss, .classification = loss, .clean_logits = logits};
  }

 private:
  DistillationOptions options_;
  std::shared_ptr<Classifier> teacher_;
};

SWEEP_REGISTER_DEFENCE("distillation", kDistillationOptions, Distillation,
                       "defensive distillation from a teacher (Papernot et al. 2016)");

}  // namespace
}  // namespace sweep::trainer
