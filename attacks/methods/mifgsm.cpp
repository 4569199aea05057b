#include <ATen/ATen.h>

#include "attacks/attack.hpp"
#include "attacks/epsilon_ball.hpp"
#include "attacks/gradient.hpp"
#include "attacks/linf_options.hpp"

namespace sweep::attacks {
namespace {

struct MifgsmOptions {
  double epsilon = 0;
  double alpha = 0;
  std::int64_t steps = 10;
  double decay = 1;
};

const OptionTable<MifgsmOptions> kMifgsmOptions{
    epsilon_option<MifgsmOptions>(),
    alpha_option<MifgsmOptions>(),
    {"steps", &MifgsmOptions::steps, {.min = 1, .max = 1000000, .doc = "number of steps"}},
    {"decay",
     &MifgsmOptions::decay,
     {.min = 0, .max = 10, .doc = "part of the momentum that is kept from step to step"}},
};

/// I-FGSM along a momentum of gradients, each of which has the L1 norm 1: Dong et al., "Boosting
/// Adversarial Attacks with Momentum" (2018, arXiv:1710.06081).
class Mifgsm final : public Attack {
 public:
  explicit Mifgsm(const MifgsmOptions& options) : options_(options) {}

  at::Tensor perturb(const WhiteBox& model, const at::Tensor& images, const Goal& goal,
                     const StepCallback& after_step) const override {
    const EpsilonBall ball(images.detach(), options_.epsilon);
    at::Tensor adversarial = images.detach().clone();
    at::Tensor momentum = at::zeros_like(adversarial);
    for (std::int64_t step = 0; step < options_.steps; ++step) {
      const at::Tensor gradient = model.loss_gradient(adversarial, goal);
      const at::Tensor norm = gradient.abs().sum({1, 2, 3}, /*keepdim=*/true);
      // Where there is no gradient there is no direction: 0, not 0/0.
      momentum.mul_(options_.decay).add_(at::where(norm > 0, gradient / norm, gradient));
      ball.step(adversarial, momentum, options_.alpha);
      after_step(static_cast<double>(step + 1) / static_cast<double>(options_.steps));
    }
    return adversarial.contiguous();
  }

 private:
  MifgsmOptions options_;
};

SWEEP_REGISTER_ATTACK("mifgsm", kMifgsmOptions, Mifgsm,
                      "I-FGSM along a momentum of gradients (MI-FGSM)");

}  // namespace
}  // namespace sweep::attacks
