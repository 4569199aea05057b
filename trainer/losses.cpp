#include "trainer/losses.hpp"

#include <ATen/ATen.h>

#include "trainer/distances.hpp"

namespace sweep::trainer {
at::Tensor classification_loss(const at::Tensor& logits, const at::Tensor& noisy_logits,
                               const at::Tensor& labels) {
  return (at::cross_entropy_loss(logits, labels) + at::cross_entropy_loss(noisy_logits, labels)) /
         2;
}

at::Tensor feature_loss(const at::Tensor& features, const at::Tensor& noisy_features) {
  return distances(features, noisy_features).mean();
}

at::Tensor reconstruction_loss(const at::Tensor& images, const at::Tensor& reconstruction,
                               const at::Tensor& noisy_reconstruction) {
  return (distances(images, reconstruction) + distances(images, noisy_reconstruction)).mean();
}

}  // namespace sweep::trainer
