#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <vector>

#include "trainer/models/chain.hpp"
#include "trainer/models/convolution.hpp"

namespace sweep::trainer {

/// The denoising U-net of Liao et al. 2018 (arXiv:1712.02976, section 4.1): five stages down and
/// four up, of 3x3 convolutions with batch normalisation and ReLU, with the stages of equal size
/// joined; a 1x1 convolution gives the noise, which is taken from the image. For .cpp files alone.
///
/// Its last layer starts at zero, and so the network as the identity.
struct DenoisingUnet : torch::nn::Module {
  /// @param width  channels of the first stage: w, 2w, 4w, 4w, 4w in all; the original has 64
  explicit DenoisingUnet(std::int64_t width);

  /// [N,3,H,W] of any size from 16 on.
  at::Tensor forward(const at::Tensor& images);

  std::vector<std::shared_ptr<Chain>> down, up;  ///< up.front() is the deepest
  Conv2d noise = nullptr;
};

}  // namespace sweep::trainer
