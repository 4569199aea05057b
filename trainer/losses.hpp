#pragma once

namespace at {
class Tensor;
}

namespace sweep::trainer {

// The losses of the paper. Norms are not squared; their gradient at 0 is 0, not NaN.

/// L_c: cross-entropy, averaged over clean and noisy images alike.
/// `logits`, `noisy_logits` [N,K]; `labels` [N] int64.
at::Tensor classification_loss(const at::Tensor& logits, const at::Tensor& noisy_logits,
                               const at::Tensor& labels);

/// L_n (equation 1), "neighbor loss": mean over the batch of ||f(x) - f(x')||_2. Both [N,...].
at::Tensor feature_loss(const at::Tensor& features, const at::Tensor& noisy_features);

/// L_a (equation 2): mean over the batch of ||x - d(x)||_2 + ||x - d(x')||_2, norms over all pixels
/// of an image. The target is the clean image in both. All [N,3,H,W].
at::Tensor reconstruction_loss(const at::Tensor& images, const at::Tensor& reconstruction,
                               const at::Tensor& noisy_reconstruction);

}  // namespace sweep::trainer
