#include <ATen/ATen.h>

#include "trainer/batches.hpp"
#include "trainer/models/convolution.hpp"
#include "trainer/noise.hpp"
#include "trainer/preprocessors/network_preprocessor.hpp"
#include "trainer/tensors.hpp"

namespace sweep::trainer {
namespace {

namespace nn = torch::nn;

struct ReformerOptions : TrainingOptions {
  ReformerOptions() {
    epochs = 100;
    batch_size = 256;
    optimizer = "adam";
    learning_rate = 0.001;
    weight_decay = 0;
    milestones = {};
    flip = false;
  }
  std::string variant = "cifar";
  std::int64_t width = 3;
  double noise = 0.025;
  double activity_penalty = 1e-9;
};

const OptionTable<ReformerOptions> kReformerOptions = with_training_options<ReformerOptions>({
    {"variant",
     &ReformerOptions::variant,
     {.choices = {"cifar", "mnist"},
      .doc = "the original's networks: cifar keeps the size, mnist halves it by average pooling in "
             "between"}},
    {"width",
     &ReformerOptions::width,
     {.min = 1, .max = 1024, .doc = "channels of the hidden layers; the original has 3"}},
    {"noise",
     &ReformerOptions::noise,
     {.min = 0,
      .max = 1,
      .unit = "pixel value in [0,1]",
      .doc = "deviation of the normal noise that is added in training; the original has 0.025 for "
             "CIFAR and 0.1 for MNIST"}},
    {"activity_penalty",
     &ReformerOptions::activity_penalty,
     {.min = 0, .max = 1, .doc = "weight of the squared activations of the encoder's layers"}},
});

/// 3x3 convolutions with sigmoid: `width` channels each, then three. Between the first and the
/// second, "mnist" averages 2x2 pixels, and doubles the size again before the last but one.
struct ReformerNetwork : nn::Module {
  ReformerNetwork(bool pools_, std::int64_t width) : pools(pools_) {
    encoder = {layer("conv1", 3, width)};
    if (pools) encoder.push_back(layer("conv2", width, width));
    for (std::size_t i = 0; i < encoder.size(); ++i)
      decoder.push_back(layer("conv" + std::to_string(encoder.size() + i + 1), width, width));
    last = layer("conv" + std::to_string(2 * encoder.size() + 1), width, 3);
  }

  Conv2d layer(const std::string& name, std::int64_t in, std::int64_t out) {
    return register_module(name, Conv2d(nn::Conv2dOptions(in, out, 3).padding(1)));
  }

  at::Tensor forward(const at::Tensor& images) { return decode(encode(images).back(), images); }

  /// The activations of the encoder's layers.
  std::vector<at::Tensor> encode(const at::Tensor& images) {
    std::vector<at::Tensor> activations{encoder.front()(images).sigmoid()};
    if (pools)
      activations.push_back(encoder.back()(at::avg_pool2d(activations.front(), 2)).sigmoid());
    return activations;
  }

  at::Tensor decode(const at::Tensor& encoding, const at::Tensor& images) {
    auto x = decoder.front()(encoding).sigmoid();
    if (pools) {
      // To the image's own size, which need not be even.
      x = at::upsample_nearest2d(x, at::IntArrayRef{images.size(2), images.size(3)});
      x = decoder.back()(x).sigmoid();
    }
    return last(x).sigmoid();
  }

  bool pools;
  std::vector<Conv2d> encoder, decoder;
  Conv2d last = nullptr;
};

/// The reformer of MagNet (Meng and Chen 2017, arXiv:1705.09064, tables 1 and 2 and the authors'
/// code): an auto-encoder that is trained to restore clean images from images with normal noise,
/// clipped to [0,1], by the mean squared error. Images are pulled towards what it can express.
class Reformer final : public NetworkPreprocessor<ReformerNetwork, ReformerOptions> {
 public:
  explicit Reformer(const ReformerOptions& options)
      : NetworkPreprocessor(
            options, std::make_shared<ReformerNetwork>(options.variant == "mnist", options.width)) {
  }

  bool is_recordable() const override { return true; }

  LossTerms loss(const Batch& batch, Classifier*, const Seed& seed) override {
    const auto noisy =
        (batch.images + options_.noise * standard_normal(batch.images, seed, batch.share.first))
            .clamp_(0, 1);
    const auto activations = network_->encode(noisy);
    const auto restored = network_->decode(activations.back(), noisy);
    auto total = at::mse_loss(restored, batch.images);
    LossTerms terms{.reconstruction = total};
    for (const auto& activation : activations)
      total = total + options_.activity_penalty * activation.square().sum() /
                          static_cast<double>(activation.size(0));
    terms.total = total;
    return terms;
  }
};

SWEEP_REGISTER_PREPROCESSOR("reformer", kReformerOptions, Reformer,
                            "small denoising auto-encoder on pixels (MagNet, Meng and Chen 2017)");

}  // namespace
}  // namespace sweep::trainer
