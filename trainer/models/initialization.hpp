#pragma once

#include <cstdint>

namespace torch::nn {
class Module;
}

namespace sweep::trainer {

/// Which of its sides scales a convolution's deviation, sqrt(2 / fan) (He et al. 2015).
enum class Fan { in, out };

/// Linear layers: uniform in +-1/sqrt(fan in) as PyTorch does, the same with a bias of 0, or normal
/// with deviation 0.01 and a bias of 0.
enum class LinearInitialization { uniform, uniform_without_bias, normal };

/// The defaults are those of torchvision's ResNet.
struct Initialization {
  Fan fan = Fan::out;
  LinearInitialization linear = LinearInitialization::uniform;
};

/// Draws the parameters of all layers in `module` from a generator of their own: convolutions
/// normal with a bias of 0, batch normalisation 1 and 0, transposed convolutions uniform in
/// +-1/sqrt(fan in). Running statistics start anew.
void initialize_layers(torch::nn::Module& module, std::uint64_t seed,
                       const Initialization& initialization = {});

}  // namespace sweep::trainer
