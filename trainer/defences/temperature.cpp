#include "trainer/defences/temperature.hpp"
#include "trainer/batches.hpp"

#include <ATen/ATen.h>

#include "trainer/defences/defence.hpp"
#include "trainer/tensors.hpp"

namespace sweep::trainer {
namespace {

struct TemperatureOptions {
  double temperature = 20;
};

const OptionTable<TemperatureOptions> kTemperatureOptions = {
    temperature_option<TemperatureOptions>()};

/// Cross-entropy of softmax(logits / T) with the labels: how the teacher of distillation is trained
/// (Papernot et al. 2016). As a defence of its own it shows what the temperature alone does.
class Temperature final : public Defence {
 public:
  Temperature(const TemperatureOptions& options, const DefenceContext&) : options_(options) {}

  bool is_recordable() const override { return true; }

  LossTerms loss(Classifier& classifier, const Batch& batch, const Seed&) override {
    const auto logits = classifier.forward(batch.images).logits;
    const auto loss =
        options_.temperature * at::cross_entropy_loss(logits / options_.temperature, batch.labels);
    return {.total = loss, .classification = loss, .clean_logits = logits};
  }

 private:
  TemperatureOptions options_;
};

SWEEP_REGISTER_DEFENCE("temperature", kTemperatureOptions, Temperature,
                       "cross-entropy at a softmax temperature (the teacher of distillation)");

}  // namespace
}  // namespace sweep::trainer
