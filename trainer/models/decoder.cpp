#include "trainer/models/decoder.hpp"

#include <ATen/ATen.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/conv.h>

#include <algorithm>
#include <bit>
#include <string>

#include "core/error.hpp"
#include "core/text.hpp"
#include "trainer/models/chain.hpp"
#include "trainer/models/recomputation.hpp"
#include "trainer/parallel/batch_norm.hpp"

namespace sweep::trainer {
namespace {

namespace nn = torch::nn;

nn::ConvTranspose2d upsampling(std::int64_t in, std::int64_t out, bool bias) {
  return nn::ConvTranspose2d(
      nn::ConvTranspose2dOptions(in, out, 4).stride(2).padding(1).bias(bias));
}

std::shared_ptr<Chain> decoder_layers(std::int64_t channels, std::int64_t stride) {
  auto layers = std::make_shared<Chain>();
  const auto add = [&](const auto& layer) { layers->add(std::to_string(layers->size()), layer); };
  for (; stride > 2; stride /= 2) {
    const auto halved = std::max<std::int64_t>(channels / 2, 1);
    add(upsampling(channels, halved, /*bias=*/false));
    add(BatchNorm2d(halved));
    add(nn::ReLU(nn::ReLUOptions(/*inplace=*/true)));
    channels = halved;
  }
  add(upsampling(channels, 3, /*bias=*/true));
  add(nn::Sigmoid());
  return layers;
}

}  // namespace

Decoder::Decoder(std::int64_t channels, std::int64_t stride) {
  if (stride < 2 || !std::has_single_bit(static_cast<std::uint64_t>(stride)))
    throw Error(FailureType::internal, concat("an encoder has the stride ", stride,
                                              " (decoders double the size in every layer); give "
                                              "the model an encoding_stride of 2, 4, 8, ..."));
  layers_ = decoder_layers(channels, stride);
}

at::Tensor Decoder::forward(const at::Tensor& encoding, std::int64_t height, std::int64_t width) {
  auto* layers = static_cast<Chain*>(layers_.get());
  const auto decoded =
      recomputed(
          1, {layers}, [layers](const at::Tensor& x) { return layers->forward(x); }, encoding)
          .to(encoding.scalar_type());
  // Encoders round sizes up (strided convolutions) or down (pooling).
  const auto right = std::max<std::int64_t>(width - decoded.size(3), 0);
  const auto below = std::max<std::int64_t>(height - decoded.size(2), 0);
  const auto whole =
      right + below > 0 ? at::replication_pad2d(decoded, {0, right, 0, below}) : decoded;
  return whole.narrow(2, 0, height).narrow(3, 0, width);
}

}  // namespace sweep::trainer
