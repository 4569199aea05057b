#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/container/any.h>

#include <string>
#include <utility>
#include <vector>

#include "trainer/models/norm_relu.hpp"
#include "trainer/models/recomputation.hpp"

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

  /// Through the layers from `first` to before `last`, counted in the order of adding. Batch
  /// normalisation and a ReLU behind it are one step.
  at::Tensor forward_range(at::Tensor x, std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      auto* norm = layers[i].ptr()->as<BatchNorm2dImpl>();
      const bool with_relu =
          norm && i + 1 < last && layers[i + 1].ptr()->as<torch::nn::ReLUImpl>() != nullptr;
      x = with_relu ? norm_relu(*norm, x) : layers[i].forward(std::move(x));
      if (with_relu) ++i;
    }
    return x;
  }

  /// Through all layers from the first to before the last of `bounds`, with activations that need
  /// not be kept: from memory level 1 on the range is recomputed as a whole, from 2 on also what
  /// lies between two bounds. A layer that changes its input in place must not be the first behind
  /// a bound.
  at::Tensor forward_blocks(const at::Tensor& x, const std::vector<std::size_t>& bounds) {
    const auto block = [this, bounds](const at::Tensor& input) {
      if (bounds.size() == 2) return forward_range(input, bounds.front(), bounds.back());
      at::Tensor y = input;
      for (std::size_t i = 0; i + 1 < bounds.size(); ++i) {
        const auto part = [this, first = bounds[i], last = bounds[i + 1]](const at::Tensor& in) {
          return forward_range(in, first, last);
        };
        y = recomputed(2, modules_of(bounds[i], bounds[i + 1]), part, y);
      }
      return y;
    };
    return recomputed(1, modules_of(bounds.front(), bounds.back()), block, x);
  }

  /// All layers as one block, with a bound behind each.
  at::Tensor forward_blocks(const at::Tensor& x) {
    std::vector<std::size_t> bounds;
    for (std::size_t i = 0; i <= layers.size(); ++i) bounds.push_back(i);
    return forward_blocks(x, bounds);
  }

  std::vector<torch::nn::AnyModule> layers;

 private:
  std::vector<torch::nn::Module*> modules_of(std::size_t first, std::size_t last) {
    std::vector<torch::nn::Module*> found;
    for (std::size_t i = first; i < last; ++i) found.push_back(layers[i].ptr().get());
    return found;
  }
};

}  // namespace sweep::trainer
