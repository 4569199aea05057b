#include "trainer/preprocessors/denoising_unet.hpp"
#include "trainer/parallel/batch_norm.hpp"

#include <ATen/ATen.h>
#include <torch/nn/modules/activation.h>

#include <array>

#include "core/text.hpp"

namespace sweep::trainer {
namespace {

namespace nn = torch::nn;

constexpr std::array<std::int64_t, 5> kDownWidths{1, 2, 4, 4, 4};
constexpr std::array<int, 5> kDownDepths{2, 3, 3, 3, 3};
constexpr std::array<std::int64_t, 4> kUpWidths{4, 4, 2, 1};
constexpr std::array<int, 4> kUpDepths{3, 3, 3, 2};

/// `depth` convolutions, the first with the stride.
std::shared_ptr<Chain> stage(std::int64_t in, std::int64_t out, int depth, std::int64_t stride) {
  auto chain = std::make_shared<Chain>();
  for (int i = 0; i < depth; ++i) {
    chain->add(concat("conv", i), Conv2d(nn::Conv2dOptions(i == 0 ? in : out, out, 3)
                                             .stride(i == 0 ? stride : 1)
                                             .padding(1)
                                             .bias(false)));
    chain->add(concat("bn", i), BatchNorm2d(out));
    chain->add(concat("relu", i), nn::ReLU(nn::ReLUOptions(/*inplace=*/true)));
  }
  return chain;
}

/// A bound behind every ReLU.
std::vector<std::size_t> bounds_of(const Chain& stage) {
  std::vector<std::size_t> bounds;
  for (std::size_t i = 0; i <= stage.size(); i += 3) bounds.push_back(i);
  return bounds;
}

}  // namespace

DenoisingUnet::DenoisingUnet(std::int64_t width) {
  std::int64_t channels = 3;
  for (std::size_t i = 0; i < kDownWidths.size(); ++i) {
    const std::int64_t out = kDownWidths[i] * width;
    down.push_back(
        register_module(concat("down", i), stage(channels, out, kDownDepths[i], i == 0 ? 1 : 2)));
    channels = out;
  }
  for (std::size_t i = 0; i < kUpWidths.size(); ++i) {
    const std::int64_t joined = channels + kDownWidths[kDownWidths.size() - 2 - i] * width;
    const std::int64_t out = kUpWidths[i] * width;
    up.push_back(register_module(concat("up", i), stage(joined, out, kUpDepths[i], 1)));
    channels = out;
  }
  noise = register_module("noise", Conv2d(nn::Conv2dOptions(channels, 3, 1)));
}

at::Tensor DenoisingUnet::forward(const at::Tensor& images) {
  std::vector<at::Tensor> stages;
  at::Tensor x = images;
  for (const auto& chain : down) stages.push_back(x = chain->forward_blocks(x, bounds_of(*chain)));
  for (std::size_t i = 0; i < up.size(); ++i) {
    const auto& lateral = stages[stages.size() - 2 - i];
    const auto larger = at::upsample_bilinear2d(
        x, at::IntArrayRef{lateral.size(2), lateral.size(3)}, /*align_corners=*/false);
    x = up[i]->forward_blocks(at::cat({larger, lateral}, 1), bounds_of(*up[i]));
  }
  return images - noise(x);
}

}  // namespace sweep::trainer
