#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "attacks/goal.hpp"
#include "attacks/gradient.hpp"
#include "attacks/linf_options.hpp"
#include "trainer/batches.hpp"
#include "trainer/defences/defence.hpp"
#include "trainer/defences/evaluation_mode.hpp"
#include "trainer/tensors.hpp"

namespace sweep::trainer {
namespace {

struct FgsmTrainingOptions {
  double epsilon = 0;
  double lambda = 0.3;
  double adversarial_part = 0.5;
  bool random_epsilon = true;
};

const OptionTable<FgsmTrainingOptions> kFgsmTrainingOptions = {
    attacks::epsilon_option<FgsmTrainingOptions>(),
    {"lambda",
     &FgsmTrainingOptions::lambda,
     {.min = 0, .doc = "weight of an adversarial image beside a clean one"}},
    {"adversarial_part",
     &FgsmTrainingOptions::adversarial_part,
     {.min = 0, .max = 1, .doc = "part of each batch that is replaced by adversarial images"}},
    {"random_epsilon",
     &FgsmTrainingOptions::random_epsilon,
     {.doc = "draw each image's epsilon from a normal distribution cut off at 0 and epsilon"}},
};

/// Adversarial training of Kurakin, Goodfellow and Bengio, "Adversarial Machine Learning at Scale"
/// (2017, arXiv:1611.01236): a part of each batch is replaced by one-step adversarial images, made
/// towards the least likely class (their "step l.l."; leaving the true label would leak it), and
/// L = (sum over clean + lambda sum over adversarial) / (clean + lambda adversarial), equation 1.
class FgsmTraining : public Defence {
 public:
  FgsmTraining(const FgsmTrainingOptions& options, const DefenceContext&) : options_(options) {}

  LossTerms loss(Classifier& classifier, const Batch& batch, const Seed& seed) override {
    const at::Tensor& images = batch.images;
    const Share& share = batch.share;
    const std::int64_t all_replaced =
        std::llround(options_.adversarial_part * static_cast<double>(share.total));
    const std::int64_t replaced =
        std::clamp<std::int64_t>(all_replaced - share.first, 0, images.size(0));
    at::Tensor clean_logits, adversarial;
    {
      const EvaluationMode mode(classifier);
      const at::NoGradGuard no_grad;
      clean_logits = classifier.forward(images).logits;
      adversarial =
          perturbed(classifier, images.narrow(0, 0, replaced), clean_logits.narrow(0, 0, replaced),
                    epsilons(all_replaced, seed.value())
                        .narrow(0, std::min(share.first, all_replaced), replaced));
    }
    const auto mixed = at::cat({adversarial, images.narrow(0, replaced, images.size(0) - replaced)})
                           .contiguous(images.suggest_memory_format());
    const auto losses = at::cross_entropy_loss(classifier.forward(mixed).logits, batch.labels, {},
                                               at::Reduction::None);
    auto weights = at::ones_like(losses);
    weights.narrow(0, 0, replaced).fill_(options_.lambda);
    const double mean_weight = (static_cast<double>(share.total - all_replaced) +
                                options_.lambda * static_cast<double>(all_replaced)) /
                               static_cast<double>(share.total);
    const auto loss = (weights * losses).mean() / mean_weight;
    return {.total = loss, .classification = loss, .clean_logits = clean_logits};
  }

 private:
  /// @param epsilons  [N,1,1,1] float64
  static at::Tensor perturbed(Classifier& classifier, const at::Tensor& images,
                              const at::Tensor& clean_logits, const at::Tensor& epsilons) {
    if (images.size(0) == 0) return images;
    const attacks::Goal least_likely(clean_logits.argmin(1), true, 0);
    const auto logits = [&](const at::Tensor& x) { return classifier.forward(x).logits; };
    const auto direction = attacks::loss_gradient(logits, images, least_likely).sign();
    const auto steps = epsilons.to(images.device(), images.scalar_type());
    return (images + steps * direction).clamp_(0, 1);
  }

  /// [count,1,1,1] float64. The paper's normal distribution has the deviation epsilon / 2 before it
  /// is cut off; what lies outside is drawn from it again by taking its distribution function's
  /// inverse.
  at::Tensor epsilons(std::int64_t count, std::uint64_t seed) const {
    auto values = at::full({count, 1, 1, 1}, options_.epsilon, at::kDouble);
    if (options_.random_epsilon) {
      const double cut = std::erf(2 / std::sqrt(2.0));  // two deviations
      values = at::empty_like(values).uniform_(0, cut, at::detail::createCPUGenerator(seed));
      values = values.erfinv_().mul_(std::sqrt(2.0) * options_.epsilon / 2);
    }
    return values;
  }

  FgsmTrainingOptions options_;
};

SWEEP_REGISTER_DEFENCE("fgsm_training", kFgsmTrainingOptions, FgsmTraining,
                       "adversarial training with single steps (Kurakin et al. 2017)");

}  // namespace
}  // namespace sweep::trainer
