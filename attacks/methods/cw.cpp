#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "attacks/attack.hpp"
#include "attacks/gradient.hpp"
#include "attacks/methods/cw_search.hpp"
#include "attacks/methods/cw_update.hpp"
#include "attacks/recorded_function.hpp"
#include "attacks/rows.hpp"

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

const OptionTable<CwOptions> kCwOptions{
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

/// One image that is worked on.
struct Candidate {
  std::int64_t place;  ///< in the stream
  CwSearch search;
  double nearest = std::numeric_limits<double>::infinity();  ///< squared distance of the best
};

/// The images that are worked on, each at its own iteration of its own search step.
struct Active {
  std::vector<Candidate> candidates;  ///< [n]
  at::Tensor clean, classes;          ///< theirs
  at::Tensor best;                    ///< [n,3,H,W], clean until an adversarial image is found
  CwVariables variables;
  CwVariables paused;  ///< of the descents that may be resumed; of others, anything

  std::int64_t size() const { return static_cast<std::int64_t>(candidates.size()); }
};

/// What one evaluation of the model says of the active images.
struct Evaluation {
  at::Tensor gradient;               ///< [n,3,H,W]: of c f(x') with respect to x'
  at::Tensor squared, loss, missed;  ///< [n] float64 on the host; missed: by how much the goal is
};

using Rows = std::vector<std::int64_t>;

/// Those of n rows of which `is(row)` is true.
template <typename Condition>
Rows rows_where(std::int64_t n, const Condition& is) {
  Rows rows;
  for (std::int64_t row = 0; row < n; ++row)
    if (is(row)) rows.push_back(row);
  return rows;
}

/// [n] int64 on the device of `like`.
at::Tensor index_of(const Rows& rows, const at::Tensor& like) {
  return at::tensor(rows, at::kLong).to(like.device());
}

Active part_of(const Active& active, const Rows& rows) {
  const at::Tensor index = index_of(rows, active.clean);
  Active part{.clean = rows_of(active.clean, index),
              .classes = active.classes.index_select(0, index),
              .best = rows_of(active.best, index),
              .variables = active.variables.of(index),
              .paused = active.paused.of(index)};
  for (const auto row : rows) part.candidates.push_back(active.candidates[row]);
  return part;
}

Active joined(const Active& first, const Active& second) {
  if (first.size() == 0) return second;
  const auto cat = [](const at::Tensor& a, const at::Tensor& b) { return at::cat({a, b}); };
  Active all{.candidates = first.candidates,
             .clean = cat(first.clean, second.clean),
             .classes = cat(first.classes, second.classes),
             .best = cat(first.best, second.best),
             .variables = first.variables.with(second.variables),
             .paused = first.paused.with(second.paused)};
  all.candidates.insert(all.candidates.end(), second.candidates.begin(), second.candidates.end());
  return all;
}

/// Gives the best of these rows back.
void put(const ImageStream& stream, const Active& active, const Rows& rows) {
  Rows places;
  for (const auto row : rows) places.push_back(active.candidates[row].place);
  if (!rows.empty())
    stream.put(at::tensor(places, at::kLong),
               active.best.index_select(0, index_of(rows, active.best)));
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

/// The L2 attack of Carlini and Wagner, "Towards Evaluating the Robustness of Neural Networks"
/// (2017, arXiv:1608.04644): minimises ||x' - x||^2 + c f(x') over w, with x' = (tanh(w) + 1) / 2
/// and f = max(margin + confidence, 0), the paper's f_6, where the margin is Z_label - max Z_other
/// for a label that is to be left and max Z_other - Z_target for a class that is to be reached.
///
/// Unlike in most implementations, constants, bounds, early abort and best result belong to one
/// image each (CwSearch): no image's result depends on which others are in its batch, none waits
/// for another, and when its own search is over, the next one of the set takes its place.
class Cw final : public Attack {
 public:
  explicit Cw(const CwOptions& options) : options_(options) {}

  at::Tensor perturb(const WhiteBox& model, const at::Tensor& images, const Goal& goal,
                     const StepCallback& after_step) const override {
    at::Tensor adversarial = images.detach().clone(at::MemoryFormat::Contiguous);
    const auto put = [&](const at::Tensor& places, const at::Tensor& found) {
      adversarial.index_copy_(0, places.to(adversarial.device()), found);
    };
    perturb_stream(model,
                   {.count = images.size(0),
                    .batch_size = images.size(0),
                    .take = [&](std::int64_t) { return std::pair(images, goal); },
                    .put = put},
                   after_step);
    return adversarial;
  }

  void perturb_stream(const WhiteBox& model, const ImageStream& stream,
                      const StepCallback& after_step) const override {
    const at::NoGradGuard no_gradients;
    Active active;
    std::int64_t taken = 0;
    bool targeted = false;  // as the first goal says
    RecordedFunction gradient = penalty_gradient(model, targeted);
    for (;;) {
      while (taken < stream.count && has_room(stream, active)) {
        const auto [images, goal] = stream.take(stream.batch_size - active.size());
        active = joined(active, begin(model, stream, images, goal, taken));
        targeted = goal.targeted;
        taken += images.size(0);
      }
      if (active.size() == 0) return;
      const Evaluation now = evaluate(gradient, active, stream.batch_size);
      keep_better(active, now);
      cw_update(active.variables, {.gradient = now.gradient,
                                   .clean = active.clean,
                                   .iteration = iterations_of(active),
                                   .learning_rate = options_.learning_rate});
      advance(stream, active, now);
      after_step(progress(stream, active, taken));
    }
  }

 private:
  /// A few at a time: one by one each would be asked about alone whether the model is right.
  static bool has_room(const ImageStream& stream, const Active& active) {
    return stream.batch_size - active.size() >= smallest_part(stream.batch_size);
  }

  /// An eighth of a batch.
  static std::int64_t smallest_part(std::int64_t batch_size) {
    return std::max<std::int64_t>(batch_size / 8, 1);
  }

  static at::Tensor iterations_of(const Active& active) {
    std::vector<std::int64_t> iterations;
    for (const auto& candidate : active.candidates)
      iterations.push_back(candidate.search.iteration());
    return at::tensor(iterations, at::kLong);
  }

  /// The images that have to be worked on. One that reaches the goal as it is cannot be improved:
  /// its distance is 0, and it goes back at once.
  Active begin(const WhiteBox& model, const ImageStream& stream, const at::Tensor& images,
               const Goal& goal, std::int64_t first) const {
    const at::Tensor clean = images.detach(), output = model.logits(clean);
    require_finite(are_finite(output));
    const at::Tensor missed = margin(output, goal.classes, goal.targeted).to(at::kDouble).cpu();
    const auto reached = [&](std::int64_t row) {
      return fooled(missed.const_data_ptr<double>()[row]);
    };
    const CwSearch search({.search_steps = options_.binary_search_steps,
                           .iterations = options_.iterations,
                           .initial_const = options_.initial_const,
                           .abort_early = options_.abort_early});
    Active all{
        .clean = clean, .classes = goal.classes, .best = clean, .variables = cw_start(clean)};
    all.paused = all.variables;
    for (std::int64_t row = 0; row < clean.size(0); ++row)
      all.candidates.push_back({.place = first + row, .search = search});
    put(stream, all, rows_where(all.size(), reached));
    return part_of(all, rows_where(all.size(), [&](auto row) { return !reached(row); }));
  }

  /// A function of images x' [n,3,H,W], classes [n] and constants c [n]: the gradient of
  /// c max(margin + confidence, 0) with respect to x', the margins, and whether all logits are
  /// finite.
  RecordedFunction penalty_gradient(const WhiteBox& model, const bool& targeted) const {
    return RecordedFunction([this, &model, &targeted](const RecordedFunction::Tensors& inputs) {
      const at::AutoGradMode with_gradients(true);
      const at::Tensor x = inputs[0].detach().requires_grad_(true);
      const at::Tensor output = model.logits(x);
      const at::Tensor missed = margin(output, inputs[1], targeted);
      const at::Tensor penalty = inputs[2] * at::clamp_min(missed + options_.confidence, 0);
      return RecordedFunction::Tensors{torch::autograd::grad({penalty.sum()}, {x}).front(),
                                       missed.detach(), are_finite(output.detach())};
    });
  }

  Evaluation evaluate(RecordedFunction& penalty_gradient, const Active& active,
                      std::int64_t batch_size) const {
    const at::Tensor& x = active.variables.adversarial;
    const std::int64_t count = active.size();
    std::vector<double> constants;
    for (const auto& candidate : active.candidates)
      constants.push_back(candidate.search.constant());
    const at::Tensor constant = at::tensor(constants, at::kDouble).to(x.options());
    const auto fit = [&](const at::Tensor& rows) { return padded(rows, batch_size); };
    const auto told = penalty_gradient({fit(x), fit(active.classes), fit(constant)});
    const at::Tensor missed = told[1].narrow(0, 0, count);
    const at::Tensor squared = (x - active.clean).square_().sum({1, 2, 3});
    const at::Tensor loss = squared + constant * at::clamp_min(missed + options_.confidence, 0);
    const at::Tensor finite = told[2].to(x.scalar_type()).expand(count);
    const at::Tensor values =  // in one copy: each waits for the device
        at::stack({squared, loss, missed, finite}).to(at::kDouble).cpu();
    require_finite(values[3].all());
    return {told[0].narrow(0, 0, count), values[0], values[1], values[2]};
  }

  /// With rows of zeros up to one of the few counts that has_room() makes: a device that records
  /// does so for each count. The CPU would compute what nobody asks for.
  static at::Tensor padded(const at::Tensor& rows, std::int64_t batch_size) {
    const std::int64_t part = smallest_part(batch_size), rest = rows.size(0) % part;
    if (rows.is_cpu() || rest == 0) return rows;
    std::vector<std::int64_t> shape = rows.sizes().vec();
    shape.front() = part - rest;
    return at::cat({rows, at::zeros(shape, rows.options())})
        .contiguous(rows.suggest_memory_format());
  }

  void keep_better(Active& active, const Evaluation& now) const {
    const double* squared = now.squared.const_data_ptr<double>();
    const double* missed = now.missed.const_data_ptr<double>();
    const Rows better = rows_where(active.size(), [&](std::int64_t row) {
      double& nearest = active.candidates[row].nearest;
      if (!fooled(missed[row]) || squared[row] >= nearest) return false;
      nearest = squared[row];
      return true;
    });
    if (better.empty()) return;
    const at::Tensor index = index_of(better, active.best);
    active.best.index_copy_(0, index, active.variables.adversarial.index_select(0, index));
  }

  /// Every search goes on, with what it wants for it; the images of those that are over leave.
  void advance(const ImageStream& stream, Active& active, const Evaluation& now) const {
    std::vector<CwSearch::Next> next;
    for (std::int64_t row = 0; row < active.size(); ++row) {
      const double missed = now.missed.const_data_ptr<double>()[row];
      next.push_back(active.candidates[row].search.advance(
          {.loss = now.loss.const_data_ptr<double>()[row],
           .missed = std::max(missed + options_.confidence, 0.0),
           .fooled = fooled(missed)}));
    }
    const auto rows_that = [&](CwSearch::Next wanted) {
      return rows_where(active.size(), [&](auto row) { return next[row] == wanted; });
    };
    Rows starting = rows_that(CwSearch::Next::start);
    if (const Rows rows = rows_that(CwSearch::Next::pause_and_start); !rows.empty()) {
      const at::Tensor index = index_of(rows, active.clean);
      active.paused.put(index, active.variables.of(index));
      starting.insert(starting.end(), rows.begin(), rows.end());
    }
    if (!starting.empty()) {
      const at::Tensor index = index_of(starting, active.clean);
      active.variables.put(index, cw_start(rows_of(active.clean, index)));
    }
    if (const Rows rows = rows_that(CwSearch::Next::resume); !rows.empty()) {
      const at::Tensor index = index_of(rows, active.clean);
      active.variables.put(index, active.paused.of(index));
    }
    const Rows over = rows_that(CwSearch::Next::end);
    if (over.empty()) return;
    put(stream, active, over);
    active = part_of(active, rows_where(active.size(), [&](auto row) {
                       return next[row] != CwSearch::Next::end;
                     }));
  }

  /// Of the whole stream, when `taken` images have been taken from it.
  static double progress(const ImageStream& stream, const Active& active, std::int64_t taken) {
    double done = static_cast<double>(taken - active.size());
    for (const auto& candidate : active.candidates) done += candidate.search.progress();
    return done / static_cast<double>(stream.count);
  }

  /// Whether the goal is reached by more than the confidence. A tie does not count.
  bool fooled(double missed) const { return missed < -options_.confidence; }

  CwOptions options_;
};

SWEEP_REGISTER_ATTACK("cw", kCwOptions, Cw,
                      "smallest L2 change, with binary search of the constant (C&W)");

}  // namespace
}  // namespace sweep::attacks
