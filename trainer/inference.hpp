#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "attacks/attack.hpp"
#include "trainer/models/model.hpp"
#include "trainer/tensors.hpp"

namespace sweep::trainer {

/// Images per forward pass in predict(). Convolution kernels sum in an order that depends on the
/// batch's size, so a shard of a set gives the set's bits only if it starts at a multiple of this.
inline constexpr std::int64_t inference_batch = 64;

/// A trained classifier: evaluation mode, parameters without gradients.
/// @param state  under torchvision's names, as train() returns it
/// @throws Error{bad_data} when `state` is not of this model, InputError for an unknown model.
std::shared_ptr<Classifier> load_classifier(const std::string& model, const Json& options,
                                            std::int64_t num_classes, const NamedTensors& state,
                                            const at::Device& device);

/// The classifier as attacks see it.
attacks::Logits logits_of(std::shared_ptr<Classifier> classifier);

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
