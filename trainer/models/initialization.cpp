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
  Initializer(std::uint64_t seed, const Initialization& initialization)
      : generator_(at::detail::createCPUGenerator(seed)), initialization_(initialization) {}

  void convolution(torch::nn::Conv2dImpl& layer) {
    // Weights are [out, in / groups, height, width]; PyTorch's fan out leaves groups out of
    // account.
    const auto side = initialization_.fan == Fan::out ? 1 : 0;
    normal(layer.weight,
           std::sqrt(2 / static_cast<double>(layer.weight.numel() / layer.weight.size(side))));
    if (layer.bias.defined()) layer.bias.zero_();
  }

  void linear(torch::nn::LinearImpl& layer) {
    if (initialization_.linear == LinearInitialization::normal)
      normal(layer.weight, 0.01);
    else
      uniform(layer);
    if (initialization_.linear != LinearInitialization::uniform) layer.bias.zero_();
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
  void normal(at::Tensor& weight, double deviation) {
    weight.copy_(at::empty(weight.sizes(), at::kFloat).normal_(0, deviation, generator_));
  }

  at::Generator generator_;
  Initialization initialization_;
};

}  // namespace

void initialize_layers(torch::nn::Module& module, std::uint64_t seed,
                       const Initialization& initialization) {
  const at::NoGradGuard no_grad;
  Initializer initializer(seed, initialization);
  for (const auto& layer : module.modules(/*include_self=*/false)) {
    if (auto* convolution = layer->as<torch::nn::Conv2d>())
      initializer.convolution(*convolution);
    else if (auto* transposed = layer->as<torch::nn::ConvTranspose2d>())
      initializer.uniform(*transposed);
    else if (auto* linear = layer->as<torch::nn::Linear>())
      initializer.linear(*linear);
    else if (auto* norm = layer->as<torch::nn::BatchNorm2d>())
      norm->reset_parameters();  // also the running statistics
  }
}

}  // namespace sweep::trainer
