#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <optional>

#include "attacks/attack.hpp"
#include "attacks/goal.hpp"
#include "attacks/linf_options.hpp"
#include "trainer/batches.hpp"
#include "trainer/defences/defence.hpp"
#include "trainer/defences/evaluation_mode.hpp"
#include "trainer/tensors.hpp"

namespace sweep::trainer {
namespace {

struct PgdTrainingOptions {
  double epsilon = 0;
  double alpha = 0;
  std::int64_t steps = 7;
};

const OptionTable<PgdTrainingOptions> kPgdTrainingOptions = {
    attacks::epsilon_option<PgdTrainingOptions>(),
    attacks::alpha_option<PgdTrainingOptions>(),
    {"steps", &PgdTrainingOptions::steps, {.min = 1, .max = 1000, .doc = "steps of the attack"}},
};

/// Adversarial training of Madry et al., "Towards Deep Learning Models Resistant to Adversarial
/// Attacks" (2018, arXiv:1706.06083): cross-entropy on what PGD, from a random start, makes of each
/// batch against the model of the moment. Clean images are not trained on.
class PgdTraining : public Defence {
 public:
  PgdTraining(const PgdTrainingOptions& options, const DefenceContext&)
      : attack_(attacks::AttackRegistry::instance().at("pgd").make({{"epsilon", options.epsilon},
                                                                    {"alpha", options.alpha},
                                                                    {"steps", options.steps},
                                                                    {"random_start", true},
                                                                    {"restarts", 1},
                                                                    {"seed", 0}})) {}

  LossTerms loss(Classifier& classifier, const Batch& batch, const Seed& seed) override {
    const at::Tensor& images = batch.images;
    at::Tensor adversarial, clean_logits;
    {
      const EvaluationMode mode(classifier);
      const auto logits = [&](const at::Tensor& x) { return classifier.forward(x).logits; };
      // Random starts follow from an image's place in its set: here, from the seed of the step.
      const attacks::Goal goal(batch.labels, false,
                               static_cast<std::int64_t>(seed.value() >> 2) + batch.share.first);
      if (!attacked_) attacked_.emplace(logits);
      adversarial = attack_->perturb(*attacked_, images, goal, [](double) {});
      const at::NoGradGuard no_grad;
      clean_logits = logits(images);
    }
    const auto x = adversarial.contiguous(images.suggest_memory_format());
    const auto loss = at::cross_entropy_loss(classifier.forward(x).logits, batch.labels);
    return {.total = loss, .classification = loss, .clean_logits = clean_logits};
  }

 private:
  std::unique_ptr<attacks::Attack> attack_;
  std::optional<attacks::WhiteBox> attacked_;  ///< the one classifier that is trained
};

SWEEP_REGISTER_DEFENCE("pgd_training", kPgdTrainingOptions, PgdTraining,
                       "adversarial training with PGD (Madry et al. 2018)");

}  // namespace
}  // namespace sweep::trainer
