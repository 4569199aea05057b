#include "trainer/parallel/cpu_batch_norm.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

#include "trainer/cpu/batch_norm/batch_norm.hpp"

namespace sweep::trainer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor narrow(const at::Tensor& values) {
  return values.to(at::kFloat);
}

/// With statistics that are given, and their gradient.
struct CpuBatchNorm : torch::autograd::Function<CpuBatchNorm> {
  /// @param inverse  of the standard deviation, like statistics.mean
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const std::optional<at::Tensor>& residual, const at::Tensor& weight,
                            const at::Tensor& bias, const ChannelStatistics& statistics,
                            const at::Tensor& inverse, SharedStatistics* shared, bool relu) {
    const auto scale = weight.detach().to(at::kDouble) * inverse;
    const cpu::ChannelScaling scaling{narrow(statistics.mean), narrow(scale), bias.detach()};
    const auto y = cpu::normalize(x, residual.value_or(at::Tensor()), scaling, relu);
    context->save_for_backward(
        {x, residual ? y : at::Tensor(), scaling.mean, scaling.scale, bias, inverse});
    context->saved_data["relu"] = relu;
    context->saved_data["count"] = statistics.count;
    context->saved_data["shared"] = reinterpret_cast<std::int64_t>(shared);
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &inverse = saved[5];
    cpu::NormGradient way_back(
        gradients.front().to(x.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast), x,
        saved[1], {saved[2], saved[3], saved[4]}, context->saved_data["relu"].toBool());
    const auto here = way_back.sums();
    auto everywhere = here;
    auto* shared =
        reinterpret_cast<SharedStatistics*>(context->saved_data["shared"].toInt());  // NOLINT
    if (shared) {
      const auto both = shared->sum(at::cat({here.gradient, here.with_x}));
      const auto halves = both.chunk(2);
      everywhere = {halves[0], halves[1]};
    }
    const double count = context->saved_data["count"].toDouble();
    // What a rank without images computes on is not real, and its gradient is not either.
    const auto to_x = shared && !shared->counts
                          ? at::zeros_like(x)
                          : way_back.to_x(narrow(everywhere.gradient / count),
                                          narrow(everywhere.with_x * inverse.square() / count));
    return {to_x,
            way_back.to_residual(),
            narrow(here.with_x * inverse),
            narrow(here.gradient),
            {},
            {},
            {},
            {}};
  }
};

}  // namespace

bool takes_cpu_batch_norm(const BatchNorm2dImpl& norm, const at::Tensor& x,
                          const at::Tensor& residual) {
  // Of a single value LibTorch says best what is wrong.
  return norm.is_training() && !norm.folded && norm.weight.defined() &&
         norm.weight.scalar_type() == at::kFloat && cpu::suits_batch_norm(x, residual) &&
         (norm.shared != nullptr || x.numel() > x.size(1));
}

at::Tensor cpu_batch_norm(BatchNorm2dImpl& norm, const at::Tensor& x, const at::Tensor& residual,
                          bool relu) {
  ChannelStatistics statistics;
  at::Tensor inverse;
  {
    const at::NoGradGuard no_grad;
    const auto here = cpu::channel_moments(x);
    statistics = {here.mean, here.squares,
                  static_cast<double>(x.numel()) / static_cast<double>(x.size(1))};
    if (norm.shared) statistics = norm.shared->of_all(statistics);
    norm.count_batch(statistics);
    inverse = (statistics.squares / statistics.count + norm.options.eps()).rsqrt();
  }
  return CpuBatchNorm::apply(x, residual.defined() ? std::optional(residual) : std::nullopt,
                             norm.weight, norm.bias, statistics, inverse, norm.shared, relu);
}

}  // namespace sweep::trainer
