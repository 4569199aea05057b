#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "attacks/attack.hpp"
#include "attacks/epsilon_ball.hpp"
#include "attacks/gradient.hpp"
#include "attacks/linf_options.hpp"
#include "attacks/rows.hpp"
#include "core/hash.hpp"

namespace sweep::attacks {
namespace {

struct PgdOptions {
  double epsilon = 0;
  double alpha = 0;
  std::int64_t steps = 10;
  bool random_start = true;
  std::int64_t restarts = 1;
  std::int64_t seed = 0;
};

const OptionTable<PgdOptions> kPgdOptions{
    epsilon_option<PgdOptions>(),
    alpha_option<PgdOptions>(),
    {"steps", &PgdOptions::steps, {.min = 1, .max = 1000000, .doc = "number of steps"}},
    {"random_start",
     &PgdOptions::random_start,
     {.doc = "start from a random point of the epsilon-ball"}},
    {"restarts",
     &PgdOptions::restarts,
     {.min = 1, .max = 1000, .doc = "tries for an image that has not been fooled yet"}},
    {"seed", &PgdOptions::seed, {.min = 0, .doc = "of the random starts"}},
};

/// Projected gradient descent: I-FGSM from random starts, with restarts for images that resist:
/// Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks" (2018,
/// arXiv:1706.06083). An image that resists all of them comes back as it is after the last one.
class Pgd final : public Attack {
 public:
  explicit Pgd(const PgdOptions& options) : options_(options) {}

  at::Tensor perturb(const WhiteBox& model, const at::Tensor& images, const Goal& goal,
                     const StepCallback& after_step) const override {
    const at::NoGradGuard no_gradients;
    at::Tensor result = images.detach().clone();
    at::Tensor rows = at::arange(images.size(0), goal.classes.options());
    for (std::int64_t restart = 0; restart < options_.restarts && rows.size(0) > 0; ++restart) {
      const at::Tensor clean = rows_of(images.detach(), rows);
      const Goal theirs = goal.of(rows);
      at::Tensor adversarial = start(clean, rows + goal.first_image, restart);
      descend(model, clean, adversarial, theirs, [&](std::int64_t step) {
        after_step(static_cast<double>(restart * options_.steps + step) /
                   static_cast<double>(options_.restarts * options_.steps));
      });
      result.index_copy_(0, rows, adversarial);
      if (restart + 1 < options_.restarts)
        rows = rows.index_select(0, resisting(model.logits(adversarial), theirs));
    }
    return result.contiguous();
  }

 private:
  /// Every image has its own generator, so that its start depends on nothing but its place in the
  /// set and the number of the restart.
  at::Tensor start(const at::Tensor& clean, const at::Tensor& places, std::int64_t restart) const {
    at::Tensor images = clean.clone();
    if (!options_.random_start) return images;
    const at::Tensor on_host = places.cpu();
    for (std::int64_t i = 0; i < images.size(0); ++i) {
      const auto seed =
          derive_seed(options_.seed, "start", on_host[i].item<std::int64_t>(), restart);
      const at::Tensor noise =
          at::empty(clean[i].sizes(), at::kFloat)
              .uniform_(-options_.epsilon, options_.epsilon, at::detail::createCPUGenerator(seed));
      images[i].add_(noise.to(clean.options()));
    }
    return images.clamp_(0, 1);
  }

  void descend(const WhiteBox& model, const at::Tensor& clean, at::Tensor& adversarial,
               const Goal& goal, const std::function<void(std::int64_t)>& after_step) const {
    const EpsilonBall ball(clean, options_.epsilon);
    for (std::int64_t step = 0; step < options_.steps; ++step) {
      ball.step(adversarial, model.loss_gradient(adversarial, goal), options_.alpha);
      after_step(step + 1);
    }
  }

  static at::Tensor resisting(const at::Tensor& logits, const Goal& goal) {
    return is_reached(logits, goal).logical_not().nonzero().squeeze(1);
  }

  PgdOptions options_;
};

SWEEP_REGISTER_ATTACK("pgd", kPgdOptions, Pgd, "I-FGSM from random starts, with restarts (PGD)");

}  // namespace
}  // namespace sweep::attacks
