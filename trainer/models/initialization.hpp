#pragma once

#include <cstdint>

namespace torch::nn {
class Module;
}

namespace sweep::trainer {

/// Draws the parameters of all layers in `module` from a generator of their own: convolutions
/// normal with deviation sqrt(2 / fan out) (He et al. 2015), batch normalisation 1 and 0,
/// transposed convolutions and linear layers uniform in +-1/sqrt(fan in) as PyTorch does. This is
/// torchvision's ResNet. Running statistics start anew.
void initialize_layers(torch::nn::Module& module, std::uint64_t seed);

}  // namespace sweep::trainer
