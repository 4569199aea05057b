#pragma once

#include <memory>
#include <utility>

#include "trainer/preprocessors/preprocessor.hpp"
#include "trainer/tensors.hpp"

namespace sweep::trainer {

/// A trained classifier behind a trained preprocessor, for evaluation and attacks: whatever takes a
/// classifier takes both, and gradients go through both.
class PreprocessedClassifier final : public Classifier {
 public:
  PreprocessedClassifier(std::shared_ptr<Preprocessor> preprocessor,
                         std::shared_ptr<Classifier> classifier)
      : preprocessor_(std::move(preprocessor)), classifier_(std::move(classifier)) {}

  Outputs forward(const at::Tensor& images) override {
    return classifier_->forward(preprocessor_->forward(images));
  }
  torch::nn::Module& module() override { return classifier_->module(); }
  void initialize(std::uint64_t seed) override { classifier_->initialize(seed); }
  std::int64_t encoding_channels() const override { return classifier_->encoding_channels(); }
  std::int64_t encoding_stride() const override { return classifier_->encoding_stride(); }

 private:
  std::shared_ptr<Preprocessor> preprocessor_;
  std::shared_ptr<Classifier> classifier_;
};

}  // namespace sweep::trainer
