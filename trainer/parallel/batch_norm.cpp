#include "trainer/parallel/batch_norm.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sweep::trainer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kAllButChannels[] = {0, 2, 3};

at::Tensor per_channel(const at::Tensor& values, const at::Tensor& like) {
  return values.to(like.scalar_type()).view({1, -1, 1, 1});
}

/// Of all ranks' images, in float64.
struct Statistics {
  at::Tensor mean, variance;  ///< [C]; the variance is the biased one
  double count = 0;           ///< values per channel
};

/// Every rank's mean, sum of squared deviations and count are put together by the formula of Chan,
/// Golub and LeVeque (1979): a difference of sums of squares would lose the digits of small
/// variances.
Statistics statistics_of(const at::Tensor& x, SharedStatistics& shared) {
  const std::int64_t channels = x.size(1), width = 2 * channels + 1;
  const auto local = at::var_mean(x, at::IntArrayRef(kAllButChannels), /*correction=*/0);
  const double count =
      shared.counts ? static_cast<double>(x.numel()) / static_cast<double>(channels) : 0;
  auto rows = at::zeros({shared.size(), width}, x.options().dtype(at::kDouble));
  if (shared.counts) {
    auto row = rows[shared.rank()];
    row.narrow(0, 0, channels).copy_(std::get<1>(local));
    row.narrow(0, channels, channels).copy_(std::get<0>(local).to(at::kDouble) * count);
    row[width - 1].fill_(count);
  }
  rows = shared.sum(rows.view(-1)).view({shared.size(), width});
  const auto counts = rows.select(1, width - 1).unsqueeze(1);
  const auto means = rows.narrow(1, 0, channels);
  const auto total = counts.sum();
  const auto mean = (means * counts).sum(0) / total;
  const auto squares =
      rows.narrow(1, channels, channels).sum(0) + ((means - mean).square() * counts).sum(0);
  return {mean, squares / total, total.item<double>()};
}

class Normalize : public torch::autograd::Function<Normalize> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& mean,
                            const at::Tensor& inverse_deviation, double count,
                            std::int64_t shared) {
    context->save_for_backward({x, weight, mean, inverse_deviation});
    context->saved_data["count"] = count;
    context->saved_data["shared"] = shared;
    return (x - per_channel(mean, x)) * per_channel(inverse_deviation * weight, x) +
           per_channel(bias, x);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &mean = saved[2], &inverse = saved[3];
    auto& shared =
        *reinterpret_cast<SharedStatistics*>(context->saved_data["shared"].toInt());  // NOLINT
    const double count = context->saved_data["count"].toDouble();
    const std::int64_t channels = x.size(1);
    const auto& gradient = gradients.front();
    const auto normalized = (x - per_channel(mean, x)) * per_channel(inverse, x);
    const auto to_bias = gradient.sum(at::IntArrayRef(kAllButChannels), false, at::kDouble);
    const auto to_weight =
        (gradient * normalized).sum(at::IntArrayRef(kAllButChannels), false, at::kDouble);
    const auto sums = shared.sum(at::cat({to_bias, to_weight}));
    at::Tensor to_x;
    if (shared.counts)
      to_x = (gradient - per_channel(sums.narrow(0, 0, channels) / count, x) -
              normalized * per_channel(sums.narrow(0, channels, channels) / count, x)) *
             per_channel(inverse * weight, x);
    else
      to_x = at::zeros_like(x);
    return {to_x, to_weight.to(weight.scalar_type()), to_bias.to(weight.scalar_type()), {}, {}, {},
            {}};
  }
};

}  // namespace

at::Tensor SharedStatistics::sum(const at::Tensor& values) {
  auto& buffer = buffers_[values.numel()];
  if (!buffer.defined()) buffer = communicator_.buffer(values.numel(), at::kDouble);
  buffer.copy_(values);
  communicator_.wait(communicator_.start_sum(buffer));
  return buffer.clone();
}

at::Tensor BatchNorm2dImpl::forward(const at::Tensor& x) {
  if (folded) return x;
  if (shared == nullptr || !is_training()) return torch::nn::BatchNorm2dImpl::forward(x);
  // As wide as the parameters: bfloat16 would round the mean and the deviation.
  const auto wide = x.to(weight.scalar_type());
  Statistics statistics;
  {
    const at::NoGradGuard no_grad;
    statistics = statistics_of(wide.detach(), *shared);
    if (running_mean.defined()) {
      const double momentum = options.momentum().value();
      num_batches_tracked.add_(1);
      running_mean.mul_(1 - momentum)
          .add_(statistics.mean.to(running_mean.scalar_type()), momentum);
      const double unbiased = statistics.count / (statistics.count - 1);
      running_var.mul_(1 - momentum)
          .add_(statistics.variance.to(running_var.scalar_type()), momentum * unbiased);
    }
  }
  const auto inverse = (statistics.variance + options.eps()).rsqrt();
  return Normalize::apply(wide, weight, bias, statistics.mean, inverse, statistics.count,
                          reinterpret_cast<std::int64_t>(shared))
      .to(x.scalar_type());
}

void share_statistics(torch::nn::Module& module, SharedStatistics& statistics) {
  for (const auto& part : module.modules())
    if (auto* norm = part->as<BatchNorm2dImpl>()) norm->shared = &statistics;
}

}  // namespace sweep::trainer
