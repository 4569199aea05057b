#include <ATen/ATen.h>

#include "attacks/attack.hpp"
#include "attacks/gradient.hpp"
#include "attacks/linf_options.hpp"

namespace sweep::attacks {
namespace {

struct FgsmOptions {
  double epsilon = 0;
};

const OptionTable<FgsmOptions> kFgsmOptions{
    epsilon_option<FgsmOptions>(),
};

/// x + epsilon * sign(gradient of the loss), clipped to [0,1]: the fast gradient sign method of
/// Goodfellow, Shlens and Szegedy, "Explaining and Harnessing Adversarial Examples"
/// (2015, arXiv:1412.6572).
class Fgsm final : public Attack {
 public:
  explicit Fgsm(const FgsmOptions& options) : options_(options) {}

  at::Tensor perturb(const WhiteBox& model, const at::Tensor& images, const Goal& goal,
                     const StepCallback& after_step) const override {
    const at::Tensor gradient = model.loss_gradient(images, goal);
    after_step(1);
    return at::add(images.detach(), gradient.sign(), options_.epsilon).clamp_(0, 1).contiguous();
  }

 private:
  FgsmOptions options_;
};

SWEEP_REGISTER_ATTACK("fgsm", kFgsmOptions, Fgsm,
                      "one step of epsilon along the gradient's sign (FGSM)");

}  // namespace
}  // namespace sweep::attacks
