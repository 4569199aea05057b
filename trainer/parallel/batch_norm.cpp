#include "trainer/parallel/batch_norm.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/parallel/cpu_batch_norm.hpp"

namespace sweep::trainer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kAllButChannels[] = {0, 2, 3};

at::Tensor broadcast_per_channel(const at::Tensor& values, const at::Tensor& like) {
  return values.to(like.scalar_type()).view({1, -1, 1, 1});
}

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

ChannelStatistics statistics_of(const at::Tensor& x) {
  const double count = static_cast<double>(x.numel()) / static_cast<double>(x.size(1));
  const auto [mean, variance] = mean_and_variance(x);
  return {mean.to(at::kDouble), variance.to(at::kDouble) * count, count};
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
      to_x = at::addcmul(to_x, x, broadcast_per_channel(of_x, x), -1)
                 .sub_(broadcast_per_channel(constant, x));
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

/// Every rank's mean, sum of squared deviations and count are put together by the formula of Chan,
/// Golub and LeVeque (1979): a difference of sums of squares would lose the digits of small
/// variances.
ChannelStatistics SharedStatistics::of_all(const ChannelStatistics& here) {
  const std::int64_t channels = here.mean.size(0), width = 2 * channels + 1;
  auto rows = at::zeros({size(), width}, here.mean.options());
  if (counts) {
    auto row = rows[rank()];
    row.narrow(0, 0, channels).copy_(here.mean);
    row.narrow(0, channels, channels).copy_(here.squares);
    row[width - 1].fill_(here.count);
  }
  rows = sum(rows.view(-1)).view({size(), width});
  const auto all_counts = rows.select(1, width - 1).unsqueeze(1);
  const auto means = rows.narrow(1, 0, channels);
  const auto total = all_counts.sum();
  const auto mean = (means * all_counts).sum(0) / total;
  const auto squares =
      rows.narrow(1, channels, channels).sum(0) + ((means - mean).square() * all_counts).sum(0);
  return {mean, squares, total.item<double>()};
}

void BatchNorm2dImpl::count_batch(const ChannelStatistics& statistics) {
  if (!running_mean.defined()) return;
  const double momentum = options.momentum().value();
  num_batches_tracked.add_(1);
  running_mean.mul_(1 - momentum).add_(statistics.mean.to(running_mean.scalar_type()), momentum);
  const auto unbiased = statistics.squares / (statistics.count - 1);
  running_var.mul_(1 - momentum).add_(unbiased.to(running_var.scalar_type()), momentum);
}

at::Tensor BatchNorm2dImpl::forward(const at::Tensor& x) {
  if (folded) return folded_bias.defined() ? x + broadcast_per_channel(folded_bias, x) : x;
  if (takes_cpu_batch_norm(*this, x)) return cpu_batch_norm(*this, x, {}, /*relu=*/false);
  if (shared == nullptr || !is_training()) return torch::nn::BatchNorm2dImpl::forward(x);
  // As wide as the parameters: bfloat16 would round the mean and the deviation.
  const auto wide = x.to(weight.scalar_type());
  ChannelStatistics statistics;
  {
    const at::NoGradGuard no_grad;
    statistics = shared->of_all(statistics_of(wide.detach()));
    count_batch(statistics);
  }
  return Normalize::apply(wide, weight, bias, statistics.mean,
                          statistics.squares / statistics.count, options.eps(), statistics.count,
                          reinterpret_cast<std::int64_t>(shared))
      .to(x.scalar_type());
}

void share_statistics(torch::nn::Module& module, SharedStatistics& statistics) {
  for (const auto& part : module.modules())
    if (auto* norm = part->as<BatchNorm2dImpl>()) norm->shared = &statistics;
}

}  // namespace sweep::trainer
