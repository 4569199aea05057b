#pragma once

#include <filesystem>
#include <string>

namespace torch::nn {
class Module;
}

namespace sweep::trainer {

/// Puts the weights of a file into `module`, whose parameters have been drawn. The head (the last
/// linear layer) keeps those that were drawn when the file's is for another number of classes; that
/// is logged. Counters of batches (num_batches_tracked) may be missing, and the names that
/// torchvision's first DenseNets have in their files are known.
/// @param model  its name, for messages
/// @throws InputError naming file and tensors for what is missing, unexpected, of another shape, no
///         floating-point number where one belongs, or not finite
void start_from(const std::filesystem::path& path, torch::nn::Module& module,
                const std::string& model);

}  // namespace sweep::trainer
