#include <ATen/ATen.h>

#include "attacks/attack.hpp"
#include "attacks/epsilon_ball.hpp"
#include "attacks/gradient.hpp"
#include "attacks/linf_options.hpp"

namespace sweep::attacks {
namespace {

struct IfgsmOptions {
  double epsilon = 0;
  double alpha = 0;
  std::int64_t steps = 10;
};

const OptionTable<IfgsmOptions> kIfgsmOptions{
    epsilon_option<IfgsmOptions>(),
    alpha_option<IfgsmOptions>(),
    {"steps", &IfgsmOptions::steps, {.min = 1, .max = 1000000, .doc = "number of steps"}},
};

/// Steps of alpha along the gradient's sign, each projected on the epsilon-ball around the clean
/// image and on [0,1]: the basic iterative method of Kurakin, Goodfellow and Bengio, "Adversarial
/// Examples in the Physical World" (2017, arXiv:1607.02533).
class Ifgsm final : public Attack {
 public:
  explicit Ifgsm(const IfgsmOptions& options) : options_(options) {}

  at::Tensor perturb(const WhiteBox& model, const at::Tensor& images, const Goal& goal,
                     const StepCallback& after_step) const override {
    const EpsilonBall ball(images.detach(), options_.epsilon);
    at::Tensor adversarial = images.detach().clone();
    for (std::int64_t step = 0; step < options_.steps; ++step) {
      ball.step(adversarial, model.loss_gradient(adversarial, goal), options_.alpha);
      after_step(static_cast<double>(step + 1) / static_cast<double>(options_.steps));
    }
    return adversarial.contiguous();
  }

 private:
  IfgsmOptions options_;
};

SWEEP_REGISTER_ATTACK("ifgsm", kIfgsmOptions, Ifgsm,
                      "iterated FGSM, projected on the epsilon-ball (I-FGSM, BIM)");

}  // namespace
}  // namespace sweep::attacks
