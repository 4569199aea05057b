#include <ATen/ATen.h>
#include <torch/nn/modules/activation.h>

#include <array>

#include "trainer/models/chain.hpp"
#include "trainer/models/convolution.hpp"
#include "trainer/models/dropout.hpp"
#include "trainer/models/linear.hpp"
#include "trainer/models/network_classifier.hpp"
#include "trainer/parallel/batch_norm.hpp"

namespace sweep::trainer {
namespace {

namespace nn = torch::nn;

/// Convolution, batch normalisation and ReLU6: "0", "1" and a layer without parameters.
struct ConvolutionImpl : nn::Module {
  ConvolutionImpl(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride,
                  std::int64_t groups)
      : convolution(register_module("0", Conv2d(nn::Conv2dOptions(in, out, kernel)
                                                    .stride(stride)
                                                    .padding(kernel / 2)
                                                    .groups(groups)
                                                    .bias(false)))),
        norm(register_module("1", BatchNorm2d(out))) {}

  at::Tensor forward(const at::Tensor& x) { return at::hardtanh(norm(convolution(x)), 0, 6); }

  Conv2d convolution;
  BatchNorm2d norm;
};
TORCH_MODULE(Convolution);

/// Widens by 1x1 (unless `expansion` is 1), filters each channel, narrows by 1x1; with a shortcut
/// where its shape allows.
struct InvertedResidualImpl : nn::Module {
  InvertedResidualImpl(std::int64_t in, std::int64_t out, std::int64_t stride,
                       std::int64_t expansion)
      : shortcut(stride == 1 && in == out) {
    const std::int64_t wide = in * expansion;
    if (expansion != 1) add(Convolution(in, wide, 1, 1, 1));
    add(Convolution(wide, wide, 3, stride, wide));
    add(Conv2d(nn::Conv2dOptions(wide, out, 1).bias(false)));
    add(BatchNorm2d(out));
    register_module("conv", conv);
  }

  at::Tensor forward(const at::Tensor& x) {
    const auto out = conv->forward(x);
    return shortcut ? x + out : out;
  }

  template <class Layer>
  void add(const Layer& layer) {
    conv->add(std::to_string(conv->size()), layer);
  }

  bool shortcut;
  std::shared_ptr<Chain> conv = std::make_shared<Chain>();
};
TORCH_MODULE(InvertedResidual);

struct Stage {
  std::int64_t expansion, channels;
  int blocks;
  std::int64_t stride;  ///< of the first block
};

constexpr std::array<Stage, 7> kStages{{{1, 16, 1, 1},
                                        {6, 24, 2, 2},
                                        {6, 32, 3, 2},
                                        {6, 64, 4, 2},
                                        {6, 96, 3, 1},
                                        {6, 160, 3, 2},
                                        {6, 320, 1, 1}}};
constexpr std::size_t kMobileEncoderStages = 3;
constexpr std::int64_t kLastChannels = 1280;

struct MobileNetwork : nn::Module {
  explicit MobileNetwork(std::int64_t num_classes) {
    std::int64_t in = 32;
    add(Convolution(3, in, 3, 2, 1));
    stages.push_back({0, 1});
    for (std::size_t s = 0; s < kStages.size(); ++s) {
      auto& bounds = stages.emplace_back(1, features->size());
      for (int i = 0; i < kStages[s].blocks; ++i) {
        add(InvertedResidual(in, kStages[s].channels, i == 0 ? kStages[s].stride : 1,
                             kStages[s].expansion));
        in = kStages[s].channels;
        bounds.push_back(features->size());
      }
    }
    stages.push_back({features->size(), features->size() + 1});
    add(Convolution(in, kLastChannels, 1, 1, 1));
    classifier->add("0", Dropout(0.2));
    classifier->add("1", Linear(kLastChannels, num_classes));
    register_module("features", features);
    register_module("classifier", classifier);
  }

  Outputs forward(const at::Tensor& x) {
    at::Tensor last = x, encoding;
    for (std::size_t i = 0; i < stages.size(); ++i) {
      last = features->forward_blocks(last, stages[i]);
      if (i == kMobileEncoderStages) encoding = last;
    }
    return {classifier->forward(last.mean({2, 3})), last.flatten(1), encoding};
  }

  std::int64_t encoding_channels() const { return kStages[kMobileEncoderStages - 1].channels; }

  template <class Layer>
  void add(const Layer& layer) {
    features->add(std::to_string(features->size()), layer);
  }

  std::shared_ptr<Chain> features = std::make_shared<Chain>();
  std::shared_ptr<Chain> classifier = std::make_shared<Chain>();
  /// Bounds of the layers of the stem, of every stage, and of the last convolution.
  std::vector<std::vector<std::size_t>> stages;
};

/// Sandler, Howard, Zhu, Zhmoginov, Chen: MobileNetV2: Inverted Residuals and Linear Bottlenecks,
/// 2018 (arXiv:1801.04381), as torchvision builds it. The encoder ends before the fourth stage.
struct MobileNetV2 : NetworkClassifier<MobileNetwork> {
  MobileNetV2(const ModelOptions& options, std::int64_t num_classes)
      : NetworkClassifier(options, std::make_shared<MobileNetwork>(num_classes),
                          {.linear = LinearInitialization::normal}) {}
};

SWEEP_REGISTER_MODEL("mobilenet_v2", model_options(), MobileNetV2,
                     "small network of inverted residuals (Sandler et al. 2018)");

}  // namespace
}  // namespace sweep::trainer
