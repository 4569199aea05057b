#include <ATen/ATen.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/pooling.h>

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

/// Convolutions in each of the five stages, between which pooling halves the image.
using VggDepths = std::array<int, 5>;

constexpr std::array<std::int64_t, 5> kWidths{64, 128, 256, 512, 512};
constexpr std::size_t kVggEncoderStages = 3;

struct VggOptions : ModelOptions {
  std::int64_t classifier_width = 4096;
};

OptionTable<VggOptions> vgg_options() {
  auto options = inherited<VggOptions>(model_options());
  options.push_back(
      {"classifier_width",
       &VggOptions::classifier_width,
       {.min = 1,
        .max = 65536,
        .doc = "units of the two hidden layers of the classifier; with the 4096 of the "
               "original they hold nine tenths of all parameters"}});
  return options;
}

struct VggNetwork : nn::Module {
  VggNetwork(const VggDepths& depths, bool batch_norm, std::int64_t width,
             std::int64_t num_classes) {
    std::int64_t in = 3;
    for (std::size_t stage = 0; stage < depths.size(); ++stage) {
      auto& bounds = stages[stage];
      for (int i = 0; i < depths[stage]; ++i) {
        bounds.push_back(features->size());
        add(Conv2d(nn::Conv2dOptions(in, kWidths[stage], 3).padding(1)));
        if (batch_norm) add(BatchNorm2d(kWidths[stage]));
        add(nn::ReLU(nn::ReLUOptions(/*inplace=*/true)));
        in = kWidths[stage];
      }
      // Pooling stands behind f(x), which is the last convolution with its ReLU.
      const bool is_last = stage + 1 == depths.size();
      if (is_last) bounds.push_back(features->size());
      add(nn::MaxPool2d(nn::MaxPool2dOptions(2)));
      if (!is_last) bounds.push_back(features->size());
    }
    classifier->add("0", Linear(512 * 7 * 7, width));
    classifier->add("1", nn::ReLU(nn::ReLUOptions(/*inplace=*/true)));
    classifier->add("2", Dropout(0.5));
    classifier->add("3", Linear(width, width));
    classifier->add("4", nn::ReLU(nn::ReLUOptions(/*inplace=*/true)));
    classifier->add("5", Dropout(0.5));
    classifier->add("6", Linear(width, num_classes));
    register_module("features", features);
    register_module("classifier", classifier);
  }

  Outputs forward(const at::Tensor& x) {
    at::Tensor last = x, encoding;
    for (std::size_t stage = 0; stage < stages.size(); ++stage) {
      last = features->forward_blocks(last, stages[stage]);
      if (stage + 1 == kVggEncoderStages) encoding = last;
    }
    const auto pooled = features->forward_range(last, features->size() - 1, features->size());
    const auto grid = at::adaptive_avg_pool2d(pooled, {7, 7});
    return {classifier->forward(grid.flatten(1)), last.flatten(1), encoding};
  }

  std::int64_t encoding_channels() const { return kWidths[kVggEncoderStages - 1]; }

  /// The layers are numbered as torchvision's, those without parameters too.
  template <class Layer>
  void add(const Layer& layer) {
    features->add(std::to_string(features->size()), layer);
  }

  std::shared_ptr<Chain> features = std::make_shared<Chain>();
  std::shared_ptr<Chain> classifier = std::make_shared<Chain>();
  std::array<std::vector<std::size_t>, kWidths.size()> stages;  ///< bounds of their layers
};

/// Simonyan and Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition,
/// 2015 (arXiv:1409.1556), as torchvision builds it. The encoder ends with the third pooling.
struct Vgg : NetworkClassifier<VggNetwork> {
  Vgg(const VggOptions& options, const VggDepths& depths, bool batch_norm, std::int64_t num_classes)
      : NetworkClassifier(
            options,
            std::make_shared<VggNetwork>(depths, batch_norm, options.classifier_width, num_classes),
            {.linear = LinearInitialization::normal}) {}
};

constexpr VggDepths kVgg11{1, 1, 2, 2, 2}, kVgg13{2, 2, 2, 2, 2}, kVgg16{2, 2, 3, 3, 3},
    kVgg19{2, 2, 4, 4, 4};

template <const VggDepths& depths, bool batch_norm>
struct VggOf : Vgg {
  VggOf(const VggOptions& options, std::int64_t num_classes)
      : Vgg(options, depths, batch_norm, num_classes) {}
};

using Vgg11 = VggOf<kVgg11, false>;
using Vgg11Bn = VggOf<kVgg11, true>;
using Vgg13 = VggOf<kVgg13, false>;
using Vgg13Bn = VggOf<kVgg13, true>;
using Vgg16 = VggOf<kVgg16, false>;
using Vgg16Bn = VggOf<kVgg16, true>;
using Vgg19 = VggOf<kVgg19, false>;
using Vgg19Bn = VggOf<kVgg19, true>;

SWEEP_REGISTER_MODEL("vgg11", vgg_options(), Vgg11, "VGG with 11 layers");
SWEEP_REGISTER_MODEL("vgg11_bn", vgg_options(), Vgg11Bn, "VGG11 with batch normalisation");
SWEEP_REGISTER_MODEL("vgg13", vgg_options(), Vgg13, "VGG with 13 layers");
SWEEP_REGISTER_MODEL("vgg13_bn", vgg_options(), Vgg13Bn, "VGG13 with batch normalisation");
SWEEP_REGISTER_MODEL("vgg16", vgg_options(), Vgg16, "VGG with 16 layers (Simonyan et al. 2015)");
SWEEP_REGISTER_MODEL("vgg16_bn", vgg_options(), Vgg16Bn, "VGG16 with batch normalisation");
SWEEP_REGISTER_MODEL("vgg19", vgg_options(), Vgg19, "VGG with 19 layers");
SWEEP_REGISTER_MODEL("vgg19_bn", vgg_options(), Vgg19Bn, "VGG19 with batch normalisation");

}  // namespace
}  // namespace sweep::trainer
