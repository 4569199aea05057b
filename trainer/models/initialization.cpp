#include "trainer/models/initialization.hpp"

#include <ATen/core/grad_mode.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <cmath>

namespace sweep::trainer {
namespace {

/// Fills parameters from one generator. Values are drawn as float32 on the CPU whatever the
/// parameter is, so that all devices start from the same ones.
class Initializer {
 public:
  explicit Initializer(std::uint64_t seed) : generator_(at::detail::createCPUGenerator(seed)) {}

  void convolution(torch::nn::Conv2dImpl& layer) {
    const auto fan_out = static_cast<double>(layer.weight.numel() / layer.weight.size(1));
    layer.weight.copy_(
        at::empty(layer.weight.sizes(), at::kFloat).normal_(0, std::sqrt(2 / fan_out), generator_));
    if (layer.bias.defined()) layer.bias.zero_();
  }

  /// For a transposed convolution PyTorch takes the elements behind the first dimension as fan in,
  /// too.
  template <class Layer>
  void uniform(Layer& layer) {
    const double bound =
        1 / std::sqrt(static_cast<double>(layer.weight.numel() / layer.weight.size(0)));
    for (auto* parameter : {&layer.weight, &layer.bias})
      if (parameter->defined())
        parameter->copy_(
            at::empty(parameter->sizes(), at::kFloat).uniform_(-bound, bound, generator_));
  }

 private:
  at::Generator generator_;
};

}  // namespace

void initialize_layers(torch::nn::Module& module, std::uint64_t seed) {
  const at::NoGradGuard no_grad;
  Initializer initializer(seed);
  for (const auto& layer : module.modules(/*include_self=*/false)) {
    if (auto* convolution = layer->as<torch::nn::Conv2d>())
      initializer.convolution(*convolution);
    else if (auto* transposed = layer->as<torch::nn::ConvTranspose2d>())
      initializer.uniform(*transposed);
    else if (auto* linear = layer->as<torch::nn::Linear>())
      initializer.uniform(*linear);
    else if (auto* norm = layer->as<torch::nn::BatchNorm2d>())
      norm->reset_parameters();  // also the running statistics
  }
}

}  // namespace sweep::trainer
