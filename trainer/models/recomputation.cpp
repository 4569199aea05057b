#include "trainer/models/recomputation.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/dropout.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "core/error.hpp"
#include "trainer/precision.hpp"

namespace sweep::trainer {
namespace {

namespace nn = torch::nn;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

thread_local int current_level = 0;

template <class Layer>
std::vector<std::shared_ptr<typename Layer::Impl>> active_layers(
    const std::vector<nn::Module*>& modules) {
  std::vector<std::shared_ptr<typename Layer::Impl>> found;
  for (const auto* module : modules)
    for (const auto& part : module->modules())
      if (auto layer = std::dynamic_pointer_cast<typename Layer::Impl>(part))
        if (layer->is_training()) found.push_back(std::move(layer));
  return found;
}

/// Batch normalisation in training mode neither counts nor averages batches while this lives.
class FrozenStatistics {
 public:
  explicit FrozenStatistics(const std::vector<nn::Module*>& modules) {
    for (auto& layer : active_layers<nn::BatchNorm2d>(modules)) {
      kept_.push_back({layer, layer->options.track_running_stats(),
                       std::exchange(layer->running_mean, {}),
                       std::exchange(layer->running_var, {})});
      layer->options.track_running_stats(false);
    }
  }
  FrozenStatistics(const FrozenStatistics&) = delete;
  FrozenStatistics& operator=(const FrozenStatistics&) = delete;
  ~FrozenStatistics() {
    for (auto& [layer, tracks, mean, variance] : kept_) {
      layer->options.track_running_stats(tracks);
      layer->running_mean = std::move(mean);
      layer->running_var = std::move(variance);
    }
  }

 private:
  struct Kept {
    std::shared_ptr<nn::BatchNorm2dImpl> layer;
    bool tracks;
    at::Tensor mean, variance;
  };
  std::vector<Kept> kept_;
};

/// A block as a node of the graph of gradients keeps it.
struct Segment : torch::CustomClassHolder {
  Segment(const std::vector<nn::Module*>& modules_, Block block_)
      : modules(modules_),
        block(std::move(block_)),
        level(current_level),
        precision(Autocast::current()),
        training(std::ranges::any_of(modules, [](auto* module) { return module->is_training(); })),
        in_pieces(level >= 2 && training && active_layers<nn::BatchNorm2d>(modules).empty()) {}

  /// Images in each run of the block, of a batch of `count`.
  std::int64_t piece(std::int64_t count) const {
    if (!in_pieces) return count;
    const std::int64_t pieces = std::int64_t{1} << std::min(level, 32);
    return std::max<std::int64_t>(1, (count + pieces - 1) / pieces);
  }

  std::vector<nn::Module*> modules;
  Block block;
  int level;
  Precision precision;
  bool training, in_pieces;
};

/// The gradients of one run of the block on `x`, for those of `x` and `parameters` that are wanted.
variable_list run_again(const Segment& segment, const at::Tensor& x,
                        const variable_list& parameters, const std::vector<bool>& wanted,
                        const at::Tensor& gradient) {
  const at::AutoGradMode with_gradients(true);
  const auto input = x.detach().requires_grad_(wanted.front());
  at::Tensor output;
  {
    const MemoryLevel level(segment.level);
    const Autocast precision(segment.precision, x.device());
    const FrozenStatistics frozen(segment.modules);
    output = segment.block(input);
  }
  variable_list sources;
  if (wanted.front()) sources.push_back(input);
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (wanted[i + 1]) sources.push_back(parameters[i]);
  return torch::autograd::grad({output}, sources, {gradient}, /*retain_graph=*/std::nullopt,
                               /*create_graph=*/false, /*allow_unused=*/true);
}

/// Puts a part of a batch of `count`, from `first` on, into its place. Parts that were kept and
/// joined at the end would take twice the memory.
void put(at::Tensor& whole, const at::Tensor& part, std::int64_t first, std::int64_t count) {
  if (part.size(0) == count) {
    whole = part;
    return;
  }
  if (!whole.defined()) {
    auto shape = part.sizes().vec();
    shape.front() = count;
    whole = at::empty(shape, part.options().memory_format(part.suggest_memory_format()));
  }
  whole.narrow(0, first, part.size(0)).copy_(part);
}

void add(at::Tensor& sum, at::Tensor part) {
  if (!sum.defined())
    sum = std::move(part);
  else if (part.defined())
    sum.add_(part);
}

struct Recomputation : torch::autograd::Function<Recomputation> {
  /// @param inputs  x, then the parameters
  static at::Tensor forward(AutogradContext* context, const c10::intrusive_ptr<Segment>& segment,
                            at::TensorList inputs) {
    context->saved_data["segment"] = c10::IValue::make_capsule(segment);
    context->save_for_backward(inputs.vec());
    const auto& x = inputs.front();
    const std::int64_t count = x.size(0), piece = segment->piece(count);
    at::Tensor output;
    for (std::int64_t first = 0; first < count; first += piece)
      put(output, segment->block(x.narrow(0, first, std::min(piece, count - first))), first, count);
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    if (at::GradMode::is_enabled())
      throw Error(
          FailureType::internal,
          "recomputed blocks have no second derivatives (one was asked for); this is a bug");
    const auto held = context->saved_data["segment"].toCapsule();
    const auto& segment = static_cast<const Segment&>(*held);
    if (std::ranges::any_of(segment.modules, [](auto* module) { return module->is_training(); }) !=
        segment.training)
      throw Error(FailureType::internal,
                  "a recomputed block has changed between training and evaluation mode before its "
                  "gradients were made; this is a bug");
    const auto saved = context->get_saved_variables();
    const variable_list parameters(saved.begin() + 1, saved.end());
    std::vector<bool> wanted;
    for (std::size_t i = 0; i < saved.size(); ++i) wanted.push_back(context->needs_input_grad(i));
    return collect(segment, saved.front(), parameters, wanted, gradients.front());
  }

 private:
  /// Piece by piece; the first result belongs to the segment, which has no gradient.
  static variable_list collect(const Segment& segment, const at::Tensor& x,
                               const variable_list& parameters, const std::vector<bool>& wanted,
                               const at::Tensor& gradient) {
    const std::int64_t count = x.size(0), piece = segment.piece(count);
    variable_list sums(wanted.size() + 1);
    for (std::int64_t first = 0; first < count; first += piece) {
      const std::int64_t size = std::min(piece, count - first);
      const auto part = run_again(segment, x.narrow(0, first, size), parameters, wanted,
                                  gradient.narrow(0, first, size));
      auto next = part.begin();
      if (wanted.front()) put(sums[1], *next++, first, count);
      for (std::size_t i = 1; i < wanted.size(); ++i)
        if (wanted[i]) add(sums[i + 1], *next++);
    }
    return sums;
  }
};

}  // namespace

MemoryLevel::MemoryLevel(int level) : before_(std::exchange(current_level, level)) {
  if (level > 0) unrecorded_.emplace();
}

MemoryLevel::~MemoryLevel() {
  current_level = before_;
}

int MemoryLevel::current() {
  return current_level;
}

at::Tensor recomputed(int level, const std::vector<nn::Module*>& modules, const Block& block,
                      const at::Tensor& x) {
  if (!at::GradMode::is_enabled()) return block(x);
  if (current_level < level || !active_layers<nn::Dropout>(modules).empty())
    return block(x.requires_grad() ? x.alias() : x);
  std::vector<at::Tensor> inputs{x};
  for (const auto* module : modules)
    for (const auto& parameter : module->parameters()) inputs.push_back(parameter);
  return Recomputation::apply(c10::make_intrusive<Segment>(modules, block), at::TensorList(inputs));
}

}  // namespace sweep::trainer
