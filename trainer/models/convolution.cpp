#include "trainer/models/convolution.hpp"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>

#include "trainer/cpu/instruction_sets.hpp"
#include "trainer/cpu/winograd/convolution.hpp"

namespace sweep::trainer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Measured with ResNet18 at 64 and 224 px (oneDNN 3, AVX-512): from 256 channels on contiguous
// weights cost nothing on larger images, and up to 7 x 7 pixels contiguous images win, at 2 x 2
// by a factor of two.
constexpr std::int64_t kWide = 256;
constexpr std::int64_t kSmall = 7 * 7;
constexpr std::int64_t kFewChannels = 4;

bool is_channels_last(const at::Tensor& tensor) {
  return tensor.suggest_memory_format() == at::MemoryFormat::ChannelsLast;
}

/// Rounds towards minus infinity.
std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/// A convolution of images with fixed weights, whose gradient takes a way of its own.
struct FixedConvolution : torch::autograd::Function<FixedConvolution> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias, std::int64_t stride,
                            std::int64_t padding) {
    context->save_for_backward({weight});
    context->saved_data["shape"] = std::vector<std::int64_t>{stride, padding, x.size(2), x.size(3)};
    context->saved_data["type"] = x.scalar_type();
    return at::conv2d(x, weight, bias, stride, padding);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto weight = context->get_saved_variables().front();
    const auto shape = context->saved_data["shape"].toIntVector();
    const auto to_x =
        gradient_of_few_channels(gradients.front(), weight, shape[0], shape[1], shape[2], shape[3]);
    return {to_x.to(context->saved_data["type"].toScalarType()), {}, {}, {}, {}};
  }
};

struct WinogradConvolution : torch::autograd::Function<WinogradConvolution> {
  /// @param directly  all but the gradient of weights is left to LibTorch
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias, bool directly) {
    context->save_for_backward({weight.requires_grad() ? x : at::Tensor(), weight});
    context->saved_data["bias"] = bias.has_value();
    context->saved_data["directly"] = directly;
    if (directly) {
      const auto type = x.scalar_type();
      return at::conv2d(x, weight.to(type), bias ? std::optional(bias->to(type)) : bias, 1, 1);
    }
    return winograd::convolve(x, weight, bias.value_or(at::Tensor()));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto gradient = gradients.front().contiguous(at::MemoryFormat::ChannelsLast);
    variable_list to(4);
    if (context->needs_input_grad(0))
      to[0] = context->saved_data["directly"].toBool()
                  ? direct_gradient(gradient, saved)
                  : winograd::input_gradient(gradient, saved[1]);
    if (context->needs_input_grad(1))
      to[1] = winograd::weight_gradient(gradient, saved[0], saved[1]);
    if (context->saved_data["bias"].toBool() && context->needs_input_grad(2))
      to[2] = gradient.sum({0, 2, 3}, /*keepdim=*/false, at::kFloat);
    return to;
  }

 private:
  static at::Tensor direct_gradient(const at::Tensor& gradient, const variable_list& saved) {
    return std::get<0>(at::convolution_backward(
        gradient, saved[0], saved[1].to(gradient.scalar_type()), std::nullopt, {1, 1}, {1, 1},
        {1, 1}, /*transposed=*/false, {0, 0}, /*groups=*/1, {true, false, false}));
  }
};

/// Whether all elements are `value`.
template <typename Values>
bool all_are(const Values& values, std::int64_t value) {
  return std::all_of(values->begin(), values->end(), [&](auto each) { return each == value; });
}

/// The convolutions that Winograd's algorithm is for.
bool is_plain_3x3(const torch::nn::detail::ConvNdOptions<2>& options) {
  const auto* padding = std::get_if<torch::ExpandingArray<2>>(&options.padding());
  return all_are(options.kernel_size(), 3) && all_are(options.stride(), 1) && padding &&
         all_are(*padding, 1) && all_are(options.dilation(), 1) && options.groups() == 1;
}

}  // namespace

at::Tensor winograd_convolution(const at::Tensor& x, const at::Tensor& weight,
                                const std::optional<at::Tensor>& bias, bool directly) {
  return WinogradConvolution::apply(x, weight, bias, directly);
}

bool Conv2dImpl::is_wide() const {
  return options.in_channels() >= kWide && options.groups() == 1 && weight.size(2) == 3 &&
         (*options.stride())[0] == 1;
}

at::Tensor Conv2dImpl::forward(const at::Tensor& x) {
  const auto usual = [&](const at::Tensor& input) { return torch::nn::Conv2dImpl::forward(input); };
  if (!x.device().is_cpu()) return usual(x);
  const auto bias_given = bias.defined() ? std::optional(bias) : std::nullopt;
  const bool in_bf16 = at::autocast::is_autocast_enabled(at::kCPU);
  const bool directly = in_bf16 && cpu::multiplies_bf16_matrices();
  const bool trains = at::GradMode::is_enabled() && weight.requires_grad();
  if (is_plain_3x3(options) && (trains || !directly)) {
    const auto input = in_bf16 ? x.to(at::kBFloat16) : x;
    if (winograd::suits(input, weight))
      return winograd_convolution(input, weight, bias_given, directly);
  }
  const std::int64_t pixels = x.size(2) * x.size(3);
  if (is_wide() && !is_channels_last(weight) && pixels <= kSmall &&
      (is_channels_last(x) || pixels == 1))
    // A clone: a single pixel has strides of both orders, and LibTorch would choose by them.
    return usual(x.clone(at::MemoryFormat::Contiguous)).contiguous(at::MemoryFormat::ChannelsLast);
  const bool fixed = at::GradMode::is_enabled() && x.requires_grad() && !weight.requires_grad();
  if (fixed && is_channels_last(x) && options.in_channels() <= kFewChannels &&
      options.groups() == 1 && (*options.dilation())[0] == 1) {
    const auto& padding = std::get<torch::ExpandingArray<2>>(options.padding());
    return FixedConvolution::apply(x, weight, bias_given, (*options.stride())[0], (*padding)[0]);
  }
  return usual(x);
}

at::Tensor gradient_of_few_channels(const at::Tensor& gradient, const at::Tensor& weight,
                                    std::int64_t stride, std::int64_t padding, std::int64_t height,
                                    std::int64_t width) {
  // Pixel s m + a of the input was multiplied by weight p for the output m + t, where
  // p = a + padding - s t: cell m is a convolution over the outputs m + lowest ... m + highest.
  const std::int64_t kernel = weight.size(2), channels = weight.size(1);
  const std::int64_t lowest = -floor_divide(kernel - 1 - padding, stride);
  const std::int64_t highest = floor_divide(stride - 1 + padding, stride);
  const std::int64_t taps = highest - lowest + 1;
  const auto fixed = weight.detach().to(gradient.scalar_type());
  auto cells = at::zeros({channels, stride, stride, weight.size(0), taps, taps}, fixed.options());
  const auto each_tap = [&](const auto& visit) {
    for (std::int64_t a = 0; a < stride; ++a)
      for (std::int64_t t = lowest; t <= highest; ++t)
        if (const std::int64_t p = a + padding - stride * t; p >= 0 && p < kernel)
          visit(a, t - lowest, p);
  };
  each_tap([&](std::int64_t a, std::int64_t t, std::int64_t p) {
    each_tap([&](std::int64_t b, std::int64_t u, std::int64_t q) {
      cells.select(1, a).select(1, b).select(2, t).select(2, u).copy_(
          fixed.select(2, p).select(2, q).t());
    });
  });
  const auto kernels = cells.view({channels * stride * stride, weight.size(0), taps, taps})
                           .contiguous(at::MemoryFormat::ChannelsLast);
  // As many outputs on both sides as the last cells need; the first `begin` results are of none.
  const std::int64_t rows = (height + stride - 1) / stride, columns = (width + stride - 1) / stride;
  const std::int64_t around =
      std::max({std::int64_t{0}, -lowest, rows - 1 + highest - (gradient.size(2) - 1),
                columns - 1 + highest - (gradient.size(3) - 1)});
  const std::int64_t begin = around + lowest;
  const auto all =
      at::conv2d(gradient.contiguous(at::MemoryFormat::ChannelsLast), kernels, {}, 1, around);
  const auto wanted = all.narrow(2, begin, rows).narrow(3, begin, columns);
  return at::pixel_shuffle(wanted, stride)
      .narrow(2, 0, height)
      .narrow(3, 0, width)
      .contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace sweep::trainer
