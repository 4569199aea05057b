#include <ATen/ATen.h>

#include <array>

#include "core/text.hpp"
#include "trainer/models/chain.hpp"
#include "trainer/models/convolution.hpp"
#include "trainer/models/linear.hpp"
#include "trainer/models/network_classifier.hpp"
#include "trainer/models/norm_relu.hpp"
#include "trainer/models/recomputation.hpp"
#include "trainer/parallel/batch_norm.hpp"

namespace sweep::trainer {
namespace {

namespace nn = torch::nn;

constexpr std::int64_t kGrowth = 32;     // channels that a layer adds
constexpr std::int64_t kBottleneck = 4;  // times as many in its 1x1 convolution
constexpr std::int64_t kStemChannels = 64;
constexpr std::array<int, 4> kDepths{6, 12, 24, 16};
constexpr std::size_t kEncoderBlocks = 2;

Conv2d dense_convolution(std::int64_t in, std::int64_t out, std::int64_t kernel,
                         std::int64_t stride = 1) {
  return Conv2d(nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

/// Gives what it adds: kGrowth channels.
struct DenseLayerImpl : nn::Module {
  explicit DenseLayerImpl(std::int64_t in)
      : norm1(register_module("norm1", BatchNorm2d(in))),
        conv1(register_module("conv1", dense_convolution(in, kBottleneck * kGrowth, 1))),
        norm2(register_module("norm2", BatchNorm2d(kBottleneck * kGrowth))),
        conv2(register_module("conv2", dense_convolution(kBottleneck * kGrowth, kGrowth, 3))) {}

  at::Tensor forward(const at::Tensor& x) {
    return conv2(norm_relu(*norm2, conv1(norm_relu(*norm1, x))));
  }

  BatchNorm2d norm1;
  Conv2d conv1;
  BatchNorm2d norm2;
  Conv2d conv2;
};
TORCH_MODULE(DenseLayer);

/// Every layer sees the block's input and everything that the layers before it have added.
struct DenseBlockImpl : nn::Module {
  DenseBlockImpl(std::int64_t in, int depth) {
    for (int i = 0; i < depth; ++i)
      layers.push_back(register_module(concat("denselayer", i + 1), DenseLayer(in + i * kGrowth)));
  }

  at::Tensor forward(const at::Tensor& x) {
    const auto block = [this](const at::Tensor& input) {
      at::Tensor all = input;
      for (auto& layer : layers) {
        const auto extend = [&layer](const at::Tensor& y) { return at::cat({y, layer(y)}, 1); };
        all = recomputed(2, {layer.get()}, extend, all);
      }
      return all;
    };
    return recomputed(1, {this}, block, x);
  }

  std::vector<DenseLayer> layers;
};
TORCH_MODULE(DenseBlock);

/// Halves the channels and the image.
struct TransitionImpl : nn::Module {
  explicit TransitionImpl(std::int64_t in)
      : norm(register_module("norm", BatchNorm2d(in))),
        conv(register_module("conv", dense_convolution(in, in / 2, 1))) {}

  at::Tensor forward(const at::Tensor& x) {
    const auto block = [this](const at::Tensor& input) {
      return at::avg_pool2d(conv(norm_relu(*norm, input)), 2, 2);
    };
    return recomputed(1, {this}, block, x);
  }

  BatchNorm2d norm;
  Conv2d conv;
};
TORCH_MODULE(Transition);

struct DenseNetwork : nn::Module {
  explicit DenseNetwork(std::int64_t num_classes) {
    conv0 = features->register_module("conv0", dense_convolution(3, kStemChannels, 7, 2));
    norm0 = features->register_module("norm0", BatchNorm2d(kStemChannels));
    std::int64_t channels = kStemChannels;
    for (std::size_t i = 0; i < kDepths.size(); ++i) {
      features->add(concat("denseblock", i + 1), DenseBlock(channels, kDepths[i]));
      channels += kGrowth * kDepths[i];
      if (i + 1 == kEncoderBlocks) encoded = channels, encoder_layers = features->size();
      if (i + 1 == kDepths.size()) break;
      features->add(concat("transition", i + 1), Transition(channels));
      channels /= 2;
    }
    features->add("norm5", BatchNorm2d(channels));
    register_module("features", features);
    classifier = register_module("classifier", Linear(channels, num_classes));
  }

  Outputs forward(const at::Tensor& x) {
    const auto first = [this](const at::Tensor& images) {
      return at::max_pool2d(norm_relu(*norm0, conv0(images)), 3, 2, 1);
    };
    const auto stem = recomputed(1, {conv0.get(), norm0.get()}, first, x);
    const auto encoding = features->forward_range(stem, 0, encoder_layers);
    const auto last = features->forward_range(encoding, encoder_layers, features->size()).relu();
    return {classifier(last.mean({2, 3})), last.flatten(1), encoding};
  }

  std::int64_t encoding_channels() const { return encoded; }

  Conv2d conv0 = nullptr;
  BatchNorm2d norm0 = nullptr;
  std::shared_ptr<Chain> features = std::make_shared<Chain>();
  Linear classifier = nullptr;
  std::size_t encoder_layers = 0;
  std::int64_t encoded = 0;  ///< channels of the encoding
};

/// Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional Networks, 2017
/// (arXiv:1608.06993), as torchvision builds it. The encoder is the stem to the second dense block.
struct DenseNet121 : NetworkClassifier<DenseNetwork> {
  DenseNet121(const ModelOptions& options, std::int64_t num_classes)
      : NetworkClassifier(options, std::make_shared<DenseNetwork>(num_classes),
                          {.fan = Fan::in, .linear = LinearInitialization::uniform_without_bias}) {}
};

SWEEP_REGISTER_MODEL("densenet121", model_options(), DenseNet121,
                     "densely connected network of 121 layers (Huang et al. 2017)");

}  // namespace
}  // namespace sweep::trainer
