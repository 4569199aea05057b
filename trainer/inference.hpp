#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "attacks/attack.hpp"
#include "core/precision.hpp"
#include "trainer/models/model.hpp"
#include "trainer/tensors.hpp"

namespace sweep::trainer {

/// Images per forward pass in predict().
inline constexpr std::int64_t inference_batch = 64;

/// A trained classifier: evaluation mode, parameters without gradients.
/// @param state  under torchvision's names, as train() returns it
/// @throws Error{bad_data} when `state` is not of this model, InputError for an unknown model.
std::shared_ptr<Classifier> load_classifier(const std::string& model, const Json& options,
                                            std::int64_t num_classes, const NamedTensors& state,
                                            const at::Device& device);

/// Logits [N,K] of `images` [N,3,H,W], differentiable. Libraries choose kernels, and with them the
/// order of sums, by the size of the batch; it is padded to a size for which that choice is always
/// the same, so that an image's logits and gradients have the same bits in every batch. Measured
/// with oneDNN on CPUs; on CUDA it holds up to the atomic sums of max-pooling's gradient.
at::Tensor evaluate(Classifier& classifier, const at::Tensor& images);

/// The classifier as attacks see it: evaluate(), in bfloat16 where `precision` says so.
attacks::Logits logits_of(std::shared_ptr<Classifier> classifier,
                          Precision precision = Precision::float32);

/// Images as the models want them: float32 in [0,1] (uint8 is divided by 255), channels-last, on
/// `device`.
at::Tensor to_model_input(const at::Tensor& images, const at::Device& device);

struct Predictions {
  at::Tensor logits;   ///< [N,K] float32, on the CPU
  at::Tensor classes;  ///< [N] int64, on the CPU: the first of the largest logits
};

/// Logits and classes of `images` [N,3,H,W], uint8 or float in [0,1], in batches of
/// `inference_batch`. `after_batch(fraction)` may throw to stop.
Predictions predict(Classifier& classifier, const at::Tensor& images, const at::Device& device,
                    const std::function<void(double fraction)>& after_batch = {});

}  // namespace sweep::trainer
