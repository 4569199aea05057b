#include <torch/torch.h>

#include <algorithm>

#include "attacks/attack.hpp"
#include "attacks/gradient.hpp"

namespace sweep::attacks {
namespace {

struct CwOptions {
  std::int64_t binary_search_steps = 5;
  std::int64_t iterations = 1000;
  double learning_rate = 0.01;
  double initial_const = 0.01;
  double confidence = 0;
  bool abort_early = true;
};

const OptionTable<CwOptions> table{
    {"binary_search_steps",
     &CwOptions::binary_search_steps,
     {.min = 1, .max = 100, .doc = "searches for the smallest constant c"}},
    {"iterations", &CwOptions::iterations, {.min = 1, .max = 1000000, .doc = "Adam steps in each search step"}},
    {"learning_rate", &CwOptions::learning_rate, {.min = 1e-9, .max = 10, .doc = "of Adam"}},
    {"initial_const",
     &CwOptions::initial_const,
     {.min = 1e-12, .max = 1e10, .doc = "first c: the weight of misclassification against distance"}},
    {"confidence",
     &CwOptions::confidence,
     {.min = 0, .max = 1e6, .unit = "logits", .doc = "margin by which another class must win"}},
    {"abort_early",
     &CwOptions::abort_early,
     {.doc = "end an image's search step when its loss has stopped falling"}},
};

constexpr double kUpperBound = 1e10;     // of c, as in the authors' code
constexpr double kAtanhMargin = 0.999999;  // keeps atanh finite at pixels of 0 and 1
constexpr double kMaskedLogit = -1e10;
constexpr std::int64_t kAbortChecks = 10;   // in a search step
constexpr double kAbortFactor = 0.9999;     // a loss that falls by less has stopped falling

/// Adam (Kingma and Ba, arXiv:1412.6980) on one tensor, with the defaults of its authors.
class Adam {
 public:
  Adam(const at::Tensor& like, double learning_rate)
      : mean_(at::zeros_like(like)), square_(at::zeros_like(like)), learning_rate_(learning_rate) {}

  /// The step to be added to the parameters.
  at::Tensor step(const at::Tensor& gradient) {
    ++steps_;
    mean_.mul_(kBeta1).add_(gradient, 1 - kBeta1);
    square_.mul_(kBeta2).addcmul_(gradient, gradient, 1 - kBeta2);
    const double correction1 = 1 - std::pow(kBeta1, steps_), correction2 = 1 - std::pow(kBeta2, steps_);
    return (mean_ / correction1) / ((square_ / correction2).sqrt_().add_(kEpsilon)) * -learning_rate_;
  }

 private:
  static constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
  at::Tensor mean_, square_;
  double learning_rate_;
  int steps_ = 0;
};

/// `condition` [N] in the shape of `like` [N,...], for at::where.
at::Tensor per_image(const at::Tensor& condition, const at::Tensor& like) {
  return condition.view({-1, 1, 1, 1}).expand_as(like);
}

/// What is known of every image so far.
struct Search {
  at::Tensor constant, lower, upper;  ///< [N], float64: c and the bounds of its binary search
  at::Tensor best_l2;                 ///< [N], infinite until an adversarial image is found
  at::Tensor best;                    ///< [N,3,H,W], the clean image until then
};

/// The L2 attack of Carlini and Wagner, "Towards Evaluating the Robustness of Neural Networks",
/// arXiv:1608.04644, untargeted: minimises ||x' - x||^2 + c f(x') with f = max(Z_label - max Z_other,
/// -confidence), over w with x' = (tanh(w) + 1) / 2. Constants, bounds, early abort and the best result
/// belong to one image each: no image sees what else is in its batch.
class Cw final : public Attack {
 public:
  explicit Cw(const CwOptions& options) : options_(options) {}

  at::Tensor perturb(const Logits& logits, const at::Tensor& images, const at::Tensor& labels,
                     const StepCallback& after_step) const override {
    const at::NoGradGuard no_gradients;
    const at::Tensor clean = images.detach();
    const auto scalars = at::TensorOptions().dtype(at::kDouble).device(clean.device());
    Search search{at::full({clean.size(0)}, options_.initial_const, scalars),
                  at::zeros({clean.size(0)}, scalars), at::full({clean.size(0)}, kUpperBound, scalars),
                  at::full({clean.size(0)}, INFINITY, clean.options()), clean.clone()};
    for (std::int64_t step = 0; step < options_.binary_search_steps; ++step) {
      const at::Tensor found = minimise(logits, clean, labels, search, step, after_step);
      update_constants(search, found);
    }
    return search.best.contiguous();
  }

 private:
  /// One search step: gives per image whether it was made adversarial, and keeps the best images.
  at::Tensor minimise(const Logits& logits, const at::Tensor& clean, const at::Tensor& labels, Search& search,
                      std::int64_t search_step, const StepCallback& after_step) const {
    const at::Tensor start = at::atanh((clean * 2 - 1) * kAtanhMargin);
    at::Tensor w = start.clone();
    Adam adam(w, options_.learning_rate);
    at::Tensor found = at::zeros({clean.size(0)}, labels.options().dtype(at::kBool));
    at::Tensor active = at::ones_like(found);
    at::Tensor reference = at::full_like(search.best_l2, INFINITY);
    const double total = static_cast<double>(options_.binary_search_steps * options_.iterations);
    const std::int64_t check_every = (options_.iterations + kAbortChecks - 1) / kAbortChecks;
    for (std::int64_t i = 0; i < options_.iterations && active.any().item<bool>(); ++i) {
      const Step step = evaluate(logits, clean, labels, w, search.constant);
      const at::Tensor success = step.success & active;
      found |= success;
      const at::Tensor better = success & (step.l2 < search.best_l2);
      search.best_l2 = at::where(better, step.l2, search.best_l2);
      search.best = at::where(per_image(better, clean), step.adversarial, search.best);
      if (options_.abort_early && i % check_every == 0) {
        active = active & (step.loss <= reference * kAbortFactor);
        reference = step.loss;
      }
      w = at::where(per_image(active, w), w + adam.step(step.gradient), w);
      after_step(static_cast<double>(search_step * options_.iterations + i + 1) / total);
    }
    return found;
  }

  struct Step {
    at::Tensor adversarial, gradient;  ///< [N,3,H,W]; the gradient is with respect to w
    at::Tensor l2, loss, success;      ///< [N]
  };

  Step evaluate(const Logits& logits, const at::Tensor& clean, const at::Tensor& labels, const at::Tensor& w,
                const at::Tensor& constant) const {
    const at::AutoGradMode with_gradients(true);
    const at::Tensor input = w.detach().requires_grad_(true);
    const at::Tensor adversarial = (at::tanh(input) + 1) / 2;
    const at::Tensor output = logits(adversarial);
    check_finite(output);
    const at::Tensor squared = (adversarial - clean).square().flatten(1).sum(1);
    const at::Tensor is_label = at::one_hot(labels, output.size(1)).to(at::kBool);
    const at::Tensor own = output.gather(1, labels.unsqueeze(1)).squeeze(1);
    const at::Tensor other = output.masked_fill(is_label, kMaskedLogit).amax(1);
    const at::Tensor margin = at::clamp_min(own - other, -options_.confidence);
    const at::Tensor loss = squared + constant.to(squared.scalar_type()) * margin;
    const at::Tensor gradient = torch::autograd::grad({loss.sum()}, {input}).front();
    // With confidence 0 a tie is no success: the class has to change.
    const at::Tensor success = (other - own).detach() > std::max(options_.confidence - kTie, 0.0);
    return {adversarial.detach(), gradient, squared.detach().sqrt(), loss.detach(), success};
  }

  /// Halves the interval where an image was fooled, raises c tenfold where it never was.
  static void update_constants(Search& search, const at::Tensor& found) {
    search.upper = at::where(found, at::minimum(search.upper, search.constant), search.upper);
    search.lower = at::where(found, search.lower, at::maximum(search.lower, search.constant));
    const at::Tensor bisected = (search.lower + search.upper) / 2;
    const at::Tensor bounded = search.upper < kUpperBound;
    const at::Tensor raised = at::where(found, search.constant, search.constant * 10);
    search.constant = at::where(bounded, bisected, raised);
  }

  static constexpr double kTie = 1e-6;  // rounding of a margin that has reached the confidence
  CwOptions options_;
};

SWEEP_REGISTER_ATTACK("cw", table, Cw, "smallest L2 change, with binary search of the constant (C&W)");

}  // namespace
}  // namespace sweep::attacks
