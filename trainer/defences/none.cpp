#include <ATen/ATen.h>

#include "trainer/batches.hpp"
#include "trainer/defences/defence.hpp"
#include "trainer/tensors.hpp"

namespace sweep::trainer {
namespace {

struct NoOptions {};

/// "NA" in the paper's tables: cross-entropy on clean images.
class NoDefence : public Defence {
 public:
  NoDefence(const NoOptions&, const DefenceContext&) {}

  bool is_recordable() const override { return true; }

  LossTerms loss(Classifier& classifier, const Batch& batch, const Seed&) override {
    const auto logits = classifier.forward(batch.images).logits;
    const auto loss = at::cross_entropy_loss(logits, batch.labels);
    return {.total = loss, .classification = loss, .clean_logits = logits};
  }
};

SWEEP_REGISTER_DEFENCE("none", OptionTable<NoOptions>{}, NoDefence,
                       "plain cross-entropy on clean images (NA in the paper's tables)");

}  // namespace
}  // namespace sweep::trainer
