#pragma once

#include "trainer/training.hpp"

namespace sweep::trainer {

/// One preprocessor to be trained.
struct PreprocessorJob {
  std::string preprocessor;  ///< its name in the registry
  Json preprocessor_options;
  at::Tensor images;                         ///< [N,3,H,W] uint8, N >= 2
  at::Tensor labels;                         ///< [N] int64
  std::vector<at::Tensor> adversarial_sets;  ///< each [N,3,H,W] float32, counterparts of the images
  std::shared_ptr<Classifier> guide;         ///< null for those that need none
  at::Device device = at::kCPU;
  Parallel parallel;
};

/// Trains a preprocessor as its options say; otherwise like the training of a classifier.
/// @throws Error{bad_data} when an adversarial set is not one of the images; see train().
TrainingResult train(const PreprocessorJob& job, const std::optional<TrainingState>& resume,
                     const TrainingHooks& hooks);

class Preprocessor;

/// A trained preprocessor: evaluation mode, parameters without gradients.
/// @throws Error{bad_data} when `state` is not of this preprocessor
std::shared_ptr<Preprocessor> load_preprocessor(const std::string& name, const Json& options,
                                                const NamedTensors& state,
                                                const at::Device& device);

}  // namespace sweep::trainer
