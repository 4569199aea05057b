#include "trainer/losses.hpp"

#include <ATen/ATen.h>

namespace sweep::trainer {
namespace {

/// ||a_i - b_i||_2 of every image i: [N]. LibTorch's norm has the gradient 0 at 0, where the root
/// of a sum of squares has NaN.
at::Tensor distances(const at::Tensor& a, const at::Tensor& b) {
  std::vector<std::int64_t> all_but_batch;
  for (std::int64_t dim = 1; dim < a.dim(); ++dim) all_but_batch.push_back(dim);
  return at::linalg_vector_norm(a - b, 2, all_but_batch);
}

}  // namespace

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
