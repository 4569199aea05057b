#include <torch/nn/modules/container/sequential.h>

#include <array>

#include "trainer/models/chain.hpp"
#include "trainer/models/convolution.hpp"
#include "trainer/models/linear.hpp"
#include "trainer/models/network_classifier.hpp"
#include "trainer/models/norm_relu.hpp"
#include "trainer/models/recomputation.hpp"

namespace sweep::trainer {
namespace {

namespace nn = torch::nn;

Conv2d residual_convolution(std::int64_t in, std::int64_t out, std::int64_t kernel,
                            std::int64_t stride) {
  return Conv2d(nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

/// Two 3x3 convolutions with a shortcut. Members are named and ordered as torchvision's, because
/// their names are those of the weights in files.
struct BasicBlockImpl : nn::Module {
  static constexpr std::int64_t expansion = 1;  ///< channels out per `width`

  BasicBlockImpl(std::int64_t in, std::int64_t width, std::int64_t stride)
      : conv1(register_module("conv1", residual_convolution(in, width, 3, stride))),
        bn1(register_module("bn1", BatchNorm2d(width))),
        conv2(register_module("conv2", residual_convolution(width, width, 3, 1))),
        bn2(register_module("bn2", BatchNorm2d(width))) {
    if (stride != 1 || in != width)
      downsample = register_module(
          "downsample",
          nn::Sequential(residual_convolution(in, width, 1, stride), BatchNorm2d(width)));
  }

  at::Tensor forward(const at::Tensor& x) {
    const auto out = conv2(norm_relu(*bn1, conv1(x)));
    return norm_relu(*bn2, out, downsample.is_empty() ? x : downsample->forward(x));
  }

  Conv2d conv1;
  BatchNorm2d bn1;
  Conv2d conv2;
  BatchNorm2d bn2;
  nn::Sequential downsample = nullptr;
};
TORCH_MODULE(BasicBlock);

/// 1x1, 3x3 and 1x1 convolutions with a shortcut. The stride is that of the 3x3 convolution, as in
/// torchvision (the paper has it in the first one).
struct BottleneckImpl : nn::Module {
  static constexpr std::int64_t expansion = 4;

  BottleneckImpl(std::int64_t in, std::int64_t width, std::int64_t stride)
      : conv1(register_module("conv1", residual_convolution(in, width, 1, 1))),
        bn1(register_module("bn1", BatchNorm2d(width))),
        conv2(register_module("conv2", residual_convolution(width, width, 3, stride))),
        bn2(register_module("bn2", BatchNorm2d(width))),
        conv3(register_module("conv3", residual_convolution(width, width * expansion, 1, 1))),
        bn3(register_module("bn3", BatchNorm2d(width * expansion))) {
    if (stride != 1 || in != width * expansion)
      downsample = register_module(
          "downsample", nn::Sequential(residual_convolution(in, width * expansion, 1, stride),
                                       BatchNorm2d(width * expansion)));
  }

  at::Tensor forward(const at::Tensor& x) {
    const auto out = conv3(norm_relu(*bn2, conv2(norm_relu(*bn1, conv1(x)))));
    return norm_relu(*bn3, out, downsample.is_empty() ? x : downsample->forward(x));
  }

  Conv2d conv1;
  BatchNorm2d bn1;
  Conv2d conv2;
  BatchNorm2d bn2;
  Conv2d conv3;
  BatchNorm2d bn3;
  nn::Sequential downsample = nullptr;
};
TORCH_MODULE(Bottleneck);

/// Number of blocks in layer1 to layer4.
using ResNetDepths = std::array<int, 4>;

template <class Block>
struct ResNetwork : nn::Module {
  ResNetwork(const ResNetDepths& depths, std::int64_t num_classes)
      : conv1(register_module(
            "conv1", Conv2d(nn::Conv2dOptions(3, 64, 7).stride(2).padding(3).bias(false)))),
        bn1(register_module("bn1", BatchNorm2d(64))),
        layer1(register_module("layer1", stage(64, 64, depths[0], 1))),
        layer2(register_module("layer2", stage(64 * expansion, 128, depths[1], 2))),
        layer3(register_module("layer3", stage(128 * expansion, 256, depths[2], 2))),
        layer4(register_module("layer4", stage(256 * expansion, 512, depths[3], 2))),
        fc(register_module("fc", Linear(512 * expansion, num_classes))) {}

  Outputs forward(const at::Tensor& x) {
    const auto first = [this](const at::Tensor& images) {
      return at::max_pool2d(norm_relu(*bn1, conv1(images)), 3, 2, 1);
    };
    const auto stem = recomputed(1, {conv1.get(), bn1.get()}, first, x);
    const auto encoding = layer2->forward_blocks(layer1->forward_blocks(stem));
    const auto last = layer4->forward_blocks(layer3->forward_blocks(encoding));
    return {fc(last.mean({2, 3})), last.flatten(1), encoding};
  }

  std::int64_t encoding_channels() const { return 128 * expansion; }

  static constexpr std::int64_t expansion = Block::Impl::expansion;

  static std::shared_ptr<Chain> stage(std::int64_t in, std::int64_t width, int depth,
                                      std::int64_t stride) {
    auto blocks = std::make_shared<Chain>();
    blocks->add("0", Block(in, width, stride));
    for (int i = 1; i < depth; ++i)
      blocks->add(std::to_string(i), Block(width * expansion, width, 1));
    return blocks;
  }

  Conv2d conv1;
  BatchNorm2d bn1;
  std::shared_ptr<Chain> layer1, layer2, layer3, layer4;
  Linear fc;
};

/// He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2016, as torchvision builds
/// it. The encoder is the stem to layer2.
template <class Block>
struct ResNet : NetworkClassifier<ResNetwork<Block>> {
  ResNet(const ModelOptions& options, const ResNetDepths& depths, std::int64_t num_classes)
      : NetworkClassifier<ResNetwork<Block>>(
            options, std::make_shared<ResNetwork<Block>>(depths, num_classes)) {}
};

struct ResNet18 : ResNet<BasicBlock> {
  ResNet18(const ModelOptions& options, std::int64_t num_classes)
      : ResNet(options, {2, 2, 2, 2}, num_classes) {}
};

struct ResNet34 : ResNet<BasicBlock> {
  ResNet34(const ModelOptions& options, std::int64_t num_classes)
      : ResNet(options, {3, 4, 6, 3}, num_classes) {}
};

struct ResNet50 : ResNet<Bottleneck> {
  ResNet50(const ModelOptions& options, std::int64_t num_classes)
      : ResNet(options, {3, 4, 6, 3}, num_classes) {}
};

SWEEP_REGISTER_MODEL("resnet18", model_options(), ResNet18,
                     "residual network of 18 layers (He et al. 2016), the paper's main classifier");
SWEEP_REGISTER_MODEL("resnet34", model_options(), ResNet34, "residual network of 34 layers");
SWEEP_REGISTER_MODEL("resnet50", model_options(), ResNet50, "residual network of 50 layers");

}  // namespace
}  // namespace sweep::trainer
