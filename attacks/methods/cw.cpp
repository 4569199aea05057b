#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "attacks/attack.hpp"
#include "attacks/gradient.hpp"
#include "attacks/methods/cw_search.hpp"

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
    {"iterations",
     &CwOptions::iterations,
     {.min = 1, .max = 1000000, .doc = "Adam steps in each search step"}},
    {"learning_rate", &CwOptions::learning_rate, {.min = 1e-9, .max = 10, .doc = "of Adam"}},
    {"initial_const",
     &CwOptions::initial_const,
     {.min = 1e-12,
      .max = 1e10,
      .doc = "first c: the weight of misclassification against distance"}},
    {"confidence",
     &CwOptions::confidence,
     {.min = 0, .max = 1e6, .unit = "logits", .doc = "margin by which another class must win"}},
    {"abort_early",
     &CwOptions::abort_early,
     {.doc =
          "end an image's search step when its loss has stopped falling, or when it is known that "
          "its c suffices and a smaller one is to be tried"}},
};

// Of the authors' code: keeps atanh finite at pixels of 0 and 1.
constexpr double kShrink = 0.999999;

// Adam's, as its authors give them (Kingma and Ba 2015, arXiv:1412.6980).
constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kAdamEpsilon = 1e-8;

/// What Adam moves, and its two moments: [n,3,H,W] each.
struct Variables {
  at::Tensor w, mean, mean_square;

  Variables of(const at::Tensor& rows) const {
    return {w.index_select(0, rows), mean.index_select(0, rows), mean_square.index_select(0, rows)};
  }
  void put(const at::Tensor& rows, const Variables& values) {
    w.index_copy_(0, rows, values.w);
    mean.index_copy_(0, rows, values.mean);
    mean_square.index_copy_(0, rows, values.mean_square);
  }
};

/// Before the first step.
Variables start_of(const at::Tensor& clean) {
  const at::Tensor w = at::atanh((clean * 2 - 1) * kShrink);
  return {w, at::zeros_like(w), at::zeros_like(w)};
}

/// One image that is worked on.
struct Candidate {
  std::int64_t image;  ///< its place in the batch
  CwSearch search;
  double nearest = std::numeric_limits<double>::infinity();  ///< squared distance of the best
};

/// The images that are worked on, each at its own iteration of its own search step.
struct Active {
  std::vector<Candidate> candidates;  ///< [n]
  at::Tensor clean, classes;          ///< theirs
  Variables variables;
};

/// What one evaluation of the model says of the active images.
struct Evaluation {
  at::Tensor adversarial, gradient;  ///< [n,3,H,W]; the gradient is with respect to w
  at::Tensor squared, loss, missed;  ///< [n] float64 on the host; missed: by how much the goal is
};

/// The rows of the active images of which `is(row)` is true, and their images in the batch.
struct Rows {
  template <typename Condition>
  Rows(const Active& active, const Condition& is) {
    std::vector<std::int64_t> images;
    for (std::size_t row = 0; row < active.candidates.size(); ++row) {
      if (!is(row)) continue;
      list.push_back(static_cast<std::int64_t>(row));
      images.push_back(active.candidates[row].image);
    }
    in_active = at::tensor(list, at::kLong).to(active.clean.device());
    in_batch = at::tensor(images, at::kLong).to(active.clean.device());
  }

  std::vector<std::int64_t> list;
  at::Tensor in_active, in_batch;  ///< int64: the same on the device, and the images
};

/// [n,1,1,1]: a number of each active image, of its type and on its device.
template <typename Value>
at::Tensor per_image(const Active& active, const Value& value) {
  std::vector<double> values;
  for (const auto& candidate : active.candidates) values.push_back(value(candidate.search));
  return at::tensor(values, at::kDouble).to(active.clean.options()).view({-1, 1, 1, 1});
}

/// By how much the goal is missed, [N]: how far the class that is to be left exceeds the largest
/// other one, or the largest other one that which is to be reached.
at::Tensor margin(const at::Tensor& logits, const at::Tensor& classes, bool targeted) {
  const at::Tensor column = classes.unsqueeze(1);
  const at::Tensor own = logits.gather(1, column).squeeze(1);
  const at::Tensor other =
      logits.scatter(1, column, -std::numeric_limits<double>::infinity()).amax(1);
  return targeted ? other - own : own - other;
}

/// One step of Adam on w.
void adam_step(Active& active, const at::Tensor& gradient, double learning_rate) {
  auto& [w, mean, mean_square] = active.variables;
  mean.mul_(kBeta1).add_(gradient, 1 - kBeta1);
  mean_square.mul_(kBeta2).addcmul_(gradient, gradient, 1 - kBeta2);
  const auto unbiased = [&](double beta) {
    return per_image(active, [beta](const CwSearch& search) {
      return 1 - std::pow(beta, static_cast<double>(search.iteration() + 1));
    });
  };
  const at::Tensor scale = (mean_square / unbiased(kBeta2)).sqrt_().add_(kAdamEpsilon);
  w.addcdiv_(mean / unbiased(kBeta1), scale, -learning_rate);
}

/// The L2 attack of Carlini and Wagner, "Towards Evaluating the Robustness of Neural Networks"
/// (2017, arXiv:1608.04644): minimises ||x' - x||^2 + c f(x') over w, with x' = (tanh(w) + 1) / 2
/// and f = max(margin + confidence, 0), the paper's f_6, where the margin is Z_label - max Z_other
/// for a label that is to be left and max Z_other - Z_target for a class that is to be reached.
///
/// Unlike in most implementations, constants, bounds, early abort and best result belong to one
/// image each (CwSearch): no image's result depends on which others are in its batch, none waits
/// for another, and each leaves the computation when its own search is over.
class Cw final : public Attack {
 public:
  explicit Cw(const CwOptions& options) : options_(options) {}

  at::Tensor perturb(const Logits& logits, const at::Tensor& images, const Goal& goal,
                     const StepCallback& after_step) const override {
    const at::NoGradGuard no_gradients;
    const at::Tensor clean = images.detach();
    const at::Tensor output = logits(clean);
    check_finite(output);
    // An image that reaches the goal as it is cannot be improved: its distance is 0.
    const at::Tensor missed = margin(output, goal.classes, goal.targeted).to(at::kDouble).cpu();
    Active active = start(clean, goal.classes, [&](std::size_t image) {
      return !fooled(missed.const_data_ptr<double>()[image]);
    });
    at::Tensor best = clean.clone();  // until an adversarial image is found
    const std::size_t all = active.candidates.size();
    while (!active.candidates.empty()) {
      const Evaluation now = evaluate(logits, active, goal.targeted);
      keep_better(best, active, now);
      adam_step(active, now.gradient, options_.learning_rate);
      advance(active, now);
      after_step(progress(active, all));
    }
    return best.contiguous();
  }

 private:
  template <typename Condition>
  Active start(const at::Tensor& clean, const at::Tensor& classes, const Condition& to_do) const {
    const CwSearch search({.search_steps = options_.binary_search_steps,
                           .iterations = options_.iterations,
                           .initial_const = options_.initial_const,
                           .abort_early = options_.abort_early});
    Active active{.clean = clean, .classes = classes, .variables = start_of(clean)};
    for (std::int64_t image = 0; image < clean.size(0); ++image)
      active.candidates.push_back({.image = image, .search = search});
    return part_of(active, Rows(active, to_do));
  }

  Evaluation evaluate(const Logits& logits, const Active& active, bool targeted) const {
    const at::AutoGradMode with_gradients(true);
    const at::Tensor w = active.variables.w.detach().requires_grad_(true);
    const at::Tensor constant =
        per_image(active, [](const CwSearch& search) { return search.constant(); }).flatten();
    const at::Tensor adversarial = (at::tanh(w) + 1) / 2;
    const at::Tensor output = logits(adversarial);
    check_finite(output);
    const at::Tensor squared = (adversarial - active.clean).square().sum({1, 2, 3});
    const at::Tensor missed = margin(output, active.classes, targeted);
    const at::Tensor loss = squared + constant * at::clamp_min(missed + options_.confidence, 0);
    const at::Tensor gradient = torch::autograd::grad({loss.sum()}, {w}).front();
    const at::Tensor told =  // in one copy: each waits for the device
        at::stack({squared.detach(), loss.detach(), missed.detach()}).to(at::kDouble).cpu();
    return {adversarial.detach(), gradient, told[0], told[1], told[2]};
  }

  void keep_better(at::Tensor& best, Active& active, const Evaluation& now) const {
    const double* squared = now.squared.const_data_ptr<double>();
    const double* missed = now.missed.const_data_ptr<double>();
    const Rows better(active, [&](std::size_t row) {
      double& nearest = active.candidates[row].nearest;
      if (!fooled(missed[row]) || squared[row] >= nearest) return false;
      nearest = squared[row];
      return true;
    });
    if (!better.list.empty())
      best.index_copy_(0, better.in_batch, now.adversarial.index_select(0, better.in_active));
  }

  /// Every search goes on, with what it wants for it; those that are over leave.
  void advance(Active& active, const Evaluation& now) const {
    std::vector<CwSearch::Next> next;
    for (std::size_t row = 0; row < active.candidates.size(); ++row) {
      const double missed = now.missed.const_data_ptr<double>()[row];
      next.push_back(active.candidates[row].search.advance(
          {.loss = now.loss.const_data_ptr<double>()[row],
           .missed = std::max(missed + options_.confidence, 0.0),
           .fooled = fooled(missed)}));
    }
    const Rows fresh(active, [&](std::size_t row) { return next[row] == CwSearch::Next::start; });
    if (!fresh.list.empty())
      active.variables.put(fresh.in_active,
                           start_of(active.clean.index_select(0, fresh.in_active)));
    const Rows staying(active, [&](std::size_t row) { return next[row] != CwSearch::Next::end; });
    if (staying.list.size() < next.size()) active = part_of(active, staying);
  }

  static Active part_of(const Active& active, const Rows& rows) {
    Active part{.clean = active.clean.index_select(0, rows.in_active),
                .classes = active.classes.index_select(0, rows.in_active),
                .variables = active.variables.of(rows.in_active)};
    for (const auto row : rows.list) part.candidates.push_back(active.candidates[row]);
    return part;
  }

  static double progress(const Active& active, std::size_t all) {
    double done = static_cast<double>(all - active.candidates.size());
    for (const auto& candidate : active.candidates) done += candidate.search.progress();
    return done / static_cast<double>(all);
  }

  /// Whether the goal is reached by more than the confidence. A tie does not count.
  bool fooled(double missed) const { return missed < -options_.confidence; }

  CwOptions options_;
};

SWEEP_REGISTER_ATTACK("cw", table, Cw,
                      "smallest L2 change, with binary search of the constant (C&W)");

}  // namespace
}  // namespace sweep::attacks
