#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>

#include "attacks/attack.hpp"
#include "core/json.hpp"
#include "core/precision.hpp"
#include "runner/steps/steps.hpp"

namespace sweep::trainer {
class Classifier;
}

namespace sweep::steps {

/// Threads to compute with: as many as were asked for, or all cores.
int threads_of(const Computing& computing);

/// The options of a model's table for its source. @throws InputError also for an unknown model
Json model_options(const ModelSource& source);

/// Checks what can be known of a model without reading its weights. @throws InputError
void check_model(const ModelSource& source);

/// A classifier with the weights of a file, and the way in which it computes.
class Network {
 public:
  /// Sets up LibTorch for this process: there is one in a process.
  /// @throws InputError, Error{bad_data} when the weights are not of this model
  Network(const ModelSource& source, const Computing& computing);

  /// Images [N,3,H,W] (uint8, or float in [0,1]) as the model takes them: of its type, on its
  /// device and in its memory layout.
  at::Tensor input(const at::Tensor& images) const;

  /// What attacks see of it. In channels-last an image's logits have the same bits in every batch;
  /// in NCHW the batch is taken as it comes, which is how other libraries compute.
  attacks::Logits logits(Precision precision = Precision::float32) const;

  /// Logits [N,K] of `images` (uint8 or float), in batches, on the CPU. `after_batch` gets the
  /// fraction that is done.
  at::Tensor predict(const at::Tensor& images,
                     const std::function<void(double fraction)>& after_batch = {}) const;

  std::int64_t batch() const { return batch_; }
  const at::Device& device() const { return device_; }

 private:
  at::Device device_;
  at::ScalarType type_;
  bool plain_;  ///< NCHW
  std::int64_t batch_;
  std::shared_ptr<trainer::Classifier> classifier_;
};

}  // namespace sweep::steps
