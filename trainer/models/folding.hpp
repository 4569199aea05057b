#pragma once

namespace torch::nn {
class Module;
}

namespace sweep::trainer {

/// Puts batch normalisation into the convolutions before it, for inference and attacks: with the
/// running mean m and variance v, g (W x - m) / sqrt(v + eps) + b is a convolution with the weights
/// g W / sqrt(v + eps). The same function in fewer passes over memory; logits differ by the
/// rounding of the products (of float32: some 1e-6 of their size).
///
/// Where a normalisation is the next child of its parent behind a convolution it reads that one's
/// output: so all models here name their layers, as torchvision does. Others, such as those that
/// begin a layer of DenseNet, stay.
///
/// The module is for evaluation from then on: it can't be trained, and its state is no longer that
/// of its file.
/// @return how many were folded
int fold_batch_norm(torch::nn::Module& module);

}  // namespace sweep::trainer
