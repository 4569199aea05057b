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

/// [C] each, the variance biased. LibTorch's own batch normalisation has a faster way on CPUs than
/// its reductions have.
std::pair<at::Tensor, at::Tensor> mean_and_variance(const at::Tensor& x) {
  if (x.device().is_cpu()) {
    auto statistics = at::batch_norm_update_stats(x, {}, {}, /*momentum=*/0);
    return {std::get<0>(statistics), std::get<1>(statistics)};
  }
  auto statistics = at::var_mean(x, at::IntArrayRef(kAllButChannels), /*correction=*/0);
  return {std::get<1>(statistics), std::get<0>(statistics)};
}

/// Every rank's mean, sum of squared deviations and count are put together by the formula of Chan,
/// Golub and LeVeque (1979): a difference of sums of squares would lose the digits of small
/// variances.
Statistics statistics_of(const at::Tensor& x, SharedStatistics& shared) {
  const std::int64_t channels = x.size(1), width = 2 * channels + 1;
  const auto [mean_here, variance_here] = mean_and_variance(x);
  const double count =
      shared.counts ? static_cast<double>(x.numel()) / static_cast<double>(channels) : 0;
  auto rows = at::zeros({shared.size(), width}, x.options().dtype(at::kDouble));
  if (shared.counts) {
    auto row = rows[shared.rank()];
    row.narrow(0, 0, channels).copy_(mean_here);
    row.narrow(0, channels, channels).copy_(variance_here.to(at::kDouble) * count);
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

/// Batch normalisation with statistics that are given: LibTorch's kernels for evaluation mode, and
/// in the gradient what is missing there, that the statistics depend on `x`.
class Normalize : public torch::autograd::Function<Normalize> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& mean,
                            const at::Tensor& variance, double eps, double count,
                            std::int64_t shared) {
    const auto type = x.scalar_type();
    const auto own_mean = mean.to(type), own_variance = variance.to(type);
    context->save_for_backward({x, weight, own_mean, own_variance});
    context->saved_data["eps"] = eps;
    context->saved_data["count"] = count;
    context->saved_data["shared"] = shared;
    return at::batch_norm(x, weight, bias, own_mean, own_variance, /*training=*/false,
                          /*momentum=*/0, eps, /*cudnn_enabled=*/true);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &mean = saved[2], &variance = saved[3];
    auto& shared =
        *reinterpret_cast<SharedStatistics*>(context->saved_data["shared"].toInt());  // NOLINT
    const double eps = context->saved_data["eps"].toDouble();
    const double count = context->saved_data["count"].toDouble();
    const std::int64_t channels = x.size(1);
    auto [to_x, to_weight, to_bias] =
        at::native_batch_norm_backward(gradients.front(), x, weight, mean, variance, {}, {},
                                       /*train=*/false, eps, {true, true, true});
    const auto sums = shared.sum(at::cat({to_bias, to_weight}).to(at::kDouble));
    if (shared.counts) {
      const auto inverse = (variance.to(at::kDouble) + eps).rsqrt();
      const auto factor = inverse * weight.to(at::kDouble) / count;
      const auto of_x = factor * inverse * sums.narrow(0, channels, channels);
      const auto constant = factor * sums.narrow(0, 0, channels) - mean.to(at::kDouble) * of_x;
      to_x = at::addcmul(to_x, x, per_channel(of_x, x), -1).sub_(per_channel(constant, x));
    } else {
      to_x = at::zeros_like(x);
    }
    return {to_x, to_weight, to_bias, {}, {}, {}, {}, {}};
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
  if (folded) return folded_bias.defined() ? x + per_channel(folded_bias, x) : x;
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
  return Normalize::apply(wide, weight, bias, statistics.mean, statistics.variance, options.eps(),
                          statistics.count, reinterpret_cast<std::int64_t>(shared))
      .to(x.scalar_type());
}

void share_statistics(torch::nn::Module& module, SharedStatistics& statistics) {
  for (const auto& part : module.modules())
    if (auto* norm = part->as<BatchNorm2dImpl>()) norm->shared = &statistics;
}

}  // namespace sweep::trainer
