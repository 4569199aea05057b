#include <torch/nn/module.h>

#include <optional>

#include "trainer/batches.hpp"
#include "trainer/defences/defence.hpp"
#include "trainer/losses.hpp"
#include "trainer/models/decoder.hpp"
#include "trainer/models/initialization.hpp"
#include "trainer/noise.hpp"
#include "trainer/tensors.hpp"

namespace sweep::trainer {
namespace {

struct DenoisingOptions {
  double lambda_n = 0;
  double lambda_a = 0;
  double sigma = 8.0 / 255;
};

const OptionTable<DenoisingOptions> kDenoisingOptions = {
    {"lambda_n", &DenoisingOptions::lambda_n, {.min = 0, .doc = "weight of the neighbor loss L_n"}},
    {"lambda_a",
     &DenoisingOptions::lambda_a,
     {.min = 0, .doc = "weight of the reconstruction loss L_a; 0 leaves the decoder out"}},
    {"sigma",
     &DenoisingOptions::sigma,
     {.min = 0,
      .max = 1,
      .unit = "pixel value in [0,1]",
      .doc = "half width of the uniform noise"}},
};

/// The paper's method: L = L_c + lambda_n L_n + lambda_a L_a (equation 3). The decoder exists only
/// where L_a has a weight.
class Denoising : public Defence {
 public:
  Denoising(const DenoisingOptions& options, const DefenceContext& context) : options_(options) {
    if (options.lambda_a > 0)
      decoder_.emplace(context.classifier.encoding_channels(),
                       context.classifier.encoding_stride());
  }

  torch::nn::Module* module() override { return decoder_ ? &decoder_->module() : nullptr; }

  void initialize(std::uint64_t seed) override {
    if (decoder_) initialize_layers(decoder_->module(), seed);
  }

  bool is_recordable() const override { return true; }

  LossTerms loss(Classifier& classifier, const Batch& batch, const Seed& seed) override {
    const at::Tensor& images = batch.images;
    // Clean and noisy images in one pass: batch normalisation sees both.
    const auto both =
        at::cat({images, add_uniform_noise(images, options_.sigma, seed, batch.share.first)});
    const auto outputs = classifier.forward(both);
    const auto logits = outputs.logits.chunk(2);

    LossTerms terms{.classification = classification_loss(logits[0], logits[1], batch.labels),
                    .clean_logits = logits[0]};
    terms.total = terms.classification;
    if (options_.lambda_n > 0) {
      const auto features = outputs.features.chunk(2);
      terms.feature = feature_loss(features[0], features[1]);
      terms.total = terms.total + options_.lambda_n * terms.feature;
    }
    if (decoder_) {
      const auto decoded =
          decoder_->forward(outputs.encoding, images.size(2), images.size(3)).chunk(2);
      terms.reconstruction = reconstruction_loss(images, decoded[0], decoded[1]);
      terms.total = terms.total + options_.lambda_a * terms.reconstruction;
    }
    return terms;
  }

 private:
  DenoisingOptions options_;
  std::optional<Decoder> decoder_;
};

SWEEP_REGISTER_DEFENCE("denoising", kDenoisingOptions, Denoising,
                       "noisy copies, feature invariance and an embedded auto-encoder (the paper)");

}  // namespace
}  // namespace sweep::trainer
