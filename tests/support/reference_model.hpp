#pragma once

#include <filesystem>
#include <memory>

#include "attacks/attack.hpp"
#include "trainer/models/model.hpp"

namespace sweep::test_support {

/// A ResNet18 with the weights of a safetensors file under torchvision's names, as the reference
/// results were made with it: pixels taken raw, evaluation mode, convolutions in NCHW order,
/// parameters without gradients. @throws Error{bad_data}
std::shared_ptr<trainer::Classifier> reference_resnet18(const std::filesystem::path& weights,
                                                        std::int64_t num_classes);

/// The reference results' model B: another ResNet18, from the group "resnet18_B" of an HDF5 file.
std::shared_ptr<trainer::Classifier> reference_resnet18_b(const std::filesystem::path& file,
                                                          std::int64_t num_classes);

/// Their model C, from the group "smallcnn_C": four times convolution, batch normalisation, ReLU
/// and pooling, then the mean and a linear layer.
attacks::Logits reference_small_cnn(const std::filesystem::path& file);

}  // namespace sweep::test_support
