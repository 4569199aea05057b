#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/container/any.h>

#include <string>
#include <vector>

namespace sweep::trainer {

/// Modules one after the other, under names of one's own. Unlike torch::nn::Sequential it can be
/// nested, has gaps in its numbering where torchvision has layers without parameters, and can be
/// run in part, which is what encoders need. For .cpp files of models alone.
struct Chain : torch::nn::Module {
  template <class Holder>
  void add(const std::string& name, const Holder& module) {
    register_module(name, module.ptr());
    layers.emplace_back(module);
  }

  std::size_t size() const { return layers.size(); }

  at::Tensor forward(at::Tensor x) { return forward_range(std::move(x), 0, layers.size()); }

  /// Through the layers from `first` to before `last`, counted in the order of adding.
  at::Tensor forward_range(at::Tensor x, std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) x = layers[i].forward(std::move(x));
    return x;
  }

  std::vector<torch::nn::AnyModule> layers;
};

}  // namespace sweep::trainer
