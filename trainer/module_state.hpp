#pragma once

#include <string>

#include "trainer/tensors.hpp"

namespace torch::nn {
class Module;
}

namespace sweep::trainer {

/// Parameters and buffers of `module` by name. They are the module's own tensors, not copies.
NamedTensors state_of(const torch::nn::Module& module);

/// Contiguous copies on the CPU.
NamedTensors copied_to_cpu(const NamedTensors& tensors);

/// "missing: a, b; unexpected: c; of another shape: d [3] instead of [4]", or nothing when `source`
/// has just the tensors of `target`.
std::string differences(const NamedTensors& source, const NamedTensors& target);

/// Copies every tensor of `source` into the tensor of the same name in `target`.
/// @param what  of what it is the state, for the message: "model resnet18"
/// @throws Error{bad_data} naming tensors that are missing, unexpected or of another shape.
void copy_state(const NamedTensors& source, const NamedTensors& target, const std::string& what);

/// Moves the module, with the weights of its convolutions in the order in which they are fastest:
/// channels-last, but for wide ones on CPUs (see Conv2dImpl).
void place(torch::nn::Module& module, const at::Device& device);

}  // namespace sweep::trainer
