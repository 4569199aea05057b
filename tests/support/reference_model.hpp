#pragma once

#include <filesystem>
#include <memory>

#include "trainer/models/model.hpp"

namespace sweep::testing {

/// A ResNet18 with the weights of a safetensors file under torchvision's names, as the reference
/// results were made with it: pixels taken raw, evaluation mode, convolutions in NCHW order,
/// parameters without gradients. @throws Error{bad_data}
std::shared_ptr<trainer::Classifier> reference_resnet18(const std::filesystem::path& weights,
                                                        std::int64_t num_classes);

}  // namespace sweep::testing
