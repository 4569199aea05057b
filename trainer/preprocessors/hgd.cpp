#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/error.hpp"
#include "trainer/batches.hpp"
#include "trainer/preprocessors/denoising_unet.hpp"
#include "trainer/preprocessors/network_preprocessor.hpp"
#include "trainer/tensors.hpp"

namespace sweep::trainer {
namespace {

struct HgdOptions : TrainingOptions {
  HgdOptions() {
    epochs = 20;
    optimizer = "adam";
    learning_rate = 0.001;
    weight_decay = 0;
    milestones = {0.75};
  }
  std::string guidance = "feature";
  std::int64_t width = 64;
  std::vector<std::string> training_attacks;
};

const OptionTable<HgdOptions> kHgdOptions = with_training_options<HgdOptions>({
    {"guidance",
     &HgdOptions::guidance,
     {.choices = {"feature", "logits", "pixel"},
      .doc = "what denoised and clean images are compared by: the attacker's last convolutional "
             "features (FGD), its logits (LGD), or pixels (PGD)"}},
    {"width",
     &HgdOptions::width,
     {.min = 1, .max = 1024, .doc = "channels of the U-net's first stage; the original has 64"}},
    {"training_attacks",
     &HgdOptions::training_attacks,
     {.doc = "tables of [attacks] whose examples of the training images it learns from; an epoch "
             "shows every image with each of them",
      .location = true,
      .required = true}},
});

/// The high-level representation guided denoiser of Liao et al., "Defense against Adversarial
/// Attacks Using High-Level Representation Guided Denoiser" (2018, arXiv:1712.02976): a U-net that
/// is trained to make a fixed classifier say to a denoised adversarial image what it says to the
/// clean one. The loss is the mean absolute difference (their L1 norm up to a factor, which Adam
/// does not see).
class Hgd final : public NetworkPreprocessor<DenoisingUnet, HgdOptions> {
 public:
  explicit Hgd(const HgdOptions& options)
      : NetworkPreprocessor(options, std::make_shared<DenoisingUnet>(options.width)) {}

  void initialize(std::uint64_t seed) override {
    NetworkPreprocessor::initialize(seed);
    const at::NoGradGuard no_grad;
    network_->noise->weight.zero_();
    network_->noise->bias.zero_();
  }

  bool is_recordable() const override { return true; }

  LossTerms loss(const Batch& batch, Classifier* guide, const Seed&) override {
    if (!batch.adversarial.defined() || guide == nullptr)
      throw Error(
          FailureType::internal,
          "hgd was given no adversarial images or no classifier; this is a bug of the plan");
    const auto denoised = network_->forward(batch.adversarial);
    const auto total = distance(denoised, batch.images, *guide);
    return {.total = total, .reconstruction = total};
  }

 private:
  at::Tensor distance(const at::Tensor& denoised, const at::Tensor& clean,
                      Classifier& guide) const {
    if (options_.guidance == "pixel") return at::l1_loss(denoised, clean);
    Outputs wanted;
    {
      const at::NoGradGuard no_grad;
      wanted = guide.forward(clean);
    }
    const auto outputs = guide.forward(denoised);
    return options_.guidance == "feature" ? at::l1_loss(outputs.features, wanted.features)
                                          : at::l1_loss(outputs.logits, wanted.logits);
  }
};

SWEEP_REGISTER_PREPROCESSOR("hgd", kHgdOptions, Hgd,
                            "denoising U-net guided by a classifier (Liao et al. 2018)");

}  // namespace
}  // namespace sweep::trainer
