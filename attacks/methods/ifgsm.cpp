#include <ATen/ATen.h>

#include "attacks/attack.hpp"
#include "attacks/gradient.hpp"

namespace sweep::attacks {
namespace {

struct IfgsmOptions {
  double epsilon = 0;
  double alpha = 0;
  std::int64_t steps = 10;
};

const OptionTable<IfgsmOptions> table{
    {"epsilon",
     &IfgsmOptions::epsilon,
     {.min = 0,
      .max = 1,
      .unit = "pixel value in [0,1]",
      .doc = "largest change of a pixel",
      .required = true}},
    {"alpha",
     &IfgsmOptions::alpha,
     {.min = 0,
      .max = 1,
      .unit = "pixel value in [0,1]",
      .doc = "change of a pixel in one step",
      .required = true}},
    {"steps", &IfgsmOptions::steps, {.min = 1, .max = 1000000, .doc = "number of steps"}},
};

/// Steps of alpha along the gradient's sign, each projected on the epsilon-ball around the clean
/// image and on [0,1]: the basic iterative method of Kurakin, Goodfellow and Bengio, "Adversarial
/// Examples in the Physical World" (2017, arXiv:1607.02533).
class Ifgsm final : public Attack {
 public:
  explicit Ifgsm(const IfgsmOptions& options) : options_(options) {}

  at::Tensor perturb(const Logits& logits, const at::Tensor& images, const at::Tensor& labels,
                     const StepCallback& after_step) const override {
    const at::Tensor clean = images.detach();
    // The epsilon-ball and [0,1] are both boxes: their intersection is one, too.
    const at::Tensor lower = (clean - options_.epsilon).clamp_min_(0);
    const at::Tensor upper = (clean + options_.epsilon).clamp_max_(1);
    at::Tensor adversarial = clean.clone();
    for (std::int64_t step = 0; step < options_.steps; ++step) {
      const at::Tensor gradient = loss_gradient(logits, adversarial, labels);
      adversarial.add_(gradient.sign(), options_.alpha).clamp_(lower, upper);
      after_step(static_cast<double>(step + 1) / static_cast<double>(options_.steps));
    }
    return adversarial.contiguous();
  }

 private:
  IfgsmOptions options_;
};

SWEEP_REGISTER_ATTACK("ifgsm", table, Ifgsm,
                      "iterated FGSM, projected on the epsilon-ball (I-FGSM, BIM)");

}  // namespace
}  // namespace sweep::attacks
