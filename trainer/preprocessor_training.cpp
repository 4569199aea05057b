#include "trainer/preprocessor_training.hpp"

#include <ATen/ATen.h>
#include <torch/nn/module.h>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "trainer/module_state.hpp"
#include "trainer/preprocessors/preprocessor.hpp"

namespace sweep::trainer {
namespace {

class PreprocessorLearner final : public Learner {
 public:
  PreprocessorLearner(Preprocessor& preprocessor, Classifier* guide)
      : preprocessor_(preprocessor), guide_(guide) {}

  std::vector<std::pair<std::string, torch::nn::Module*>> modules() override {
    return {{"preprocessor.", &preprocessor_.module()}};
  }

  void initialize(std::int64_t seed) override {
    preprocessor_.initialize(derive_seed(seed, "init", 2));
  }

  LossTerms loss(const Batch& batch, const Seed& seed) override {
    return preprocessor_.loss(batch, guide_, seed);
  }

  bool is_recordable() const override { return preprocessor_.is_recordable(); }

 private:
  Preprocessor& preprocessor_;
  Classifier* guide_;
};

void check_counterparts(const PreprocessorJob& job) {
  for (const auto& set : job.adversarial_sets)
    if (set.sizes() != job.images.sizes() || set.scalar_type() != at::kFloat)
      throw Error(FailureType::bad_data,
                  concat("an adversarial set has the shape ", set.sizes(),
                         " (its images must be counterparts of the training images ",
                         job.images.sizes(), "); make it again"));
}

}  // namespace

TrainingResult train(const PreprocessorJob& job, const std::optional<TrainingState>& resume,
                     const TrainingHooks& hooks) {
  check_training_set(job.images, job.labels, job.labels.max().item<std::int64_t>() + 1);
  check_counterparts(job);
  const auto preprocessor =
      PreprocessorRegistry::instance().at(job.preprocessor).make(job.preprocessor_options);
  PreprocessorLearner learner(*preprocessor, job.guide.get());
  const TrainingOptions& options = preprocessor->training();
  Batches batches(job.images, job.labels, options, job.device, job.adversarial_sets);
  return train(learner, batches, options, job.device, job.preprocessor, resume, hooks,
               job.parallel);
}

std::shared_ptr<Preprocessor> load_preprocessor(const std::string& name, const Json& options,
                                                const NamedTensors& state,
                                                const at::Device& device) {
  std::shared_ptr<Preprocessor> preprocessor =
      PreprocessorRegistry::instance().at(name).make(options);
  auto& module = preprocessor->module();
  copy_state(state, state_of(module), concat("a preprocessor ", name));
  place(module, device);
  module.eval();
  for (auto& parameter : module.parameters()) parameter.set_requires_grad(false);
  return preprocessor;
}

}  // namespace sweep::trainer
