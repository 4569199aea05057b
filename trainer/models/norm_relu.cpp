#include "trainer/models/norm_relu.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <optional>
#include <tuple>

#include "attacks/device_operator.hpp"
#include "trainer/parallel/cpu_batch_norm.hpp"

namespace sweep::trainer {
namespace {

using attacks::DeviceOperator;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Optional = std::optional<at::Tensor>;

TORCH_LIBRARY_FRAGMENT(sweep, library) {
  library.def(
      "norm_relu(Tensor x, Tensor? residual, Tensor weight, Tensor bias, Tensor(a!)? running_mean, "
      "Tensor(b!)? running_variance, float momentum, float eps) -> (Tensor, Tensor, Tensor)");
  library.def(
      "norm_relu_gradient(Tensor gradient, Tensor x, Tensor? y, Tensor weight, Tensor bias, Tensor "
      "mean, Tensor inverse_deviation) -> (Tensor, Tensor, Tensor, Tensor)");
  library.def("bias_relu(Tensor x, Tensor bias, Tensor? residual) -> Tensor");
  library.def("relu_gradient(Tensor gradient, Tensor y) -> Tensor");
}

/// y, mean, inverse deviation.
const auto& fused_norm() {
  using Signature = std::tuple<at::Tensor, at::Tensor, at::Tensor>(
      const at::Tensor&, const Optional&, const at::Tensor&, const at::Tensor&, const Optional&,
      const Optional&, double, double);
  static const DeviceOperator<Signature> found("sweep::norm_relu");
  return found;
}

/// Gradients of x, the residual (undefined without y), weight and bias.
const auto& fused_norm_gradient() {
  using Signature = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor>(
      const at::Tensor&, const at::Tensor&, const Optional&, const at::Tensor&, const at::Tensor&,
      const at::Tensor&, const at::Tensor&);
  static const DeviceOperator<Signature> found("sweep::norm_relu_gradient");
  return found;
}

const auto& fused_bias() {
  using Signature = at::Tensor(const at::Tensor&, const at::Tensor&, const Optional&);
  static const DeviceOperator<Signature> found("sweep::bias_relu");
  return found;
}

const auto& fused_relu_gradient() {
  using Signature = at::Tensor(const at::Tensor&, const at::Tensor&);
  static const DeviceOperator<Signature> found("sweep::relu_gradient");
  return found;
}

Optional optional(const at::Tensor& tensor) {
  return tensor.defined() ? Optional(tensor) : std::nullopt;
}

/// Batch normalisation in training mode.
struct NormRelu : torch::autograd::Function<NormRelu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const Optional& residual,
                            const at::Tensor& weight, const at::Tensor& bias,
                            const Optional& running_mean, const Optional& running_variance,
                            double momentum, double eps) {
    const auto [y, mean, inverse_deviation] =
        fused_norm()(x, residual, weight, bias, running_mean, running_variance, momentum, eps);
    // Without a residual, where ReLU has cut follows from x.
    context->save_for_backward(
        {x, weight, bias, mean, inverse_deviation, residual ? y : at::Tensor()});
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto gradient = gradients.front().contiguous(at::MemoryFormat::ChannelsLast);
    const auto [to_x, to_residual, to_weight, to_bias] = fused_norm_gradient()(
        gradient, saved[0], optional(saved[5]), saved[1], saved[2], saved[3], saved[4]);
    return {to_x, to_residual, to_weight, to_bias, {}, {}, {}, {}};
  }
};

/// What is left of a folded one.
struct BiasRelu : torch::autograd::Function<BiasRelu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& bias,
                            const Optional& residual) {
    const auto y = fused_bias()(x, bias, residual);
    context->save_for_backward({y});
    context->saved_data["residual"] = residual.has_value();
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto gradient = gradients.front().contiguous(at::MemoryFormat::ChannelsLast);
    const auto to_x = fused_relu_gradient()(gradient, context->get_saved_variables().front());
    return {to_x, {}, context->saved_data["residual"].toBool() ? to_x : at::Tensor()};
  }
};

/// What the kernels can read.
bool suits_norm_relu(const at::Tensor& x, const at::Tensor& residual) {
  return x.is_contiguous(at::MemoryFormat::ChannelsLast) && x.size(1) % 8 == 0 &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) &&
         (!residual.defined() || (residual.is_contiguous(at::MemoryFormat::ChannelsLast) &&
                                  residual.scalar_type() == x.scalar_type()));
}

}  // namespace

bool adds_folded_bias(const at::Tensor& weight) {
  return fused_bias().serves(weight) && weight.scalar_type() == at::kFloat;
}

at::Tensor norm_relu(BatchNorm2dImpl& norm, const at::Tensor& x, const at::Tensor& residual) {
  if (norm.folded_bias.defined() && suits_norm_relu(x, residual))
    return BiasRelu::apply(x, norm.folded_bias, optional(residual));
  if (norm.is_training() && norm.shared == nullptr && fused_norm().serves(x) &&
      suits_norm_relu(x, residual) && norm.weight.scalar_type() == at::kFloat) {
    if (norm.running_mean.defined()) norm.num_batches_tracked.add_(1);
    return NormRelu::apply(x, optional(residual), norm.weight, norm.bias,
                           optional(norm.running_mean), optional(norm.running_var),
                           norm.options.momentum().value(), norm.options.eps());
  }
  if (takes_cpu_batch_norm(norm, x, residual))
    return cpu_batch_norm(norm, x, residual, /*relu=*/true);
  auto y = norm.forward(x);
  if (residual.defined()) y = y.add_(residual);
  return y.relu_();
}

}  // namespace sweep::trainer
