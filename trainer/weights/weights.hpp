#pragma once

#include <filesystem>
#include <string>

#include "trainer/tensors.hpp"

namespace sweep::trainer {

/// Reads the weights of a model: safetensors, or what torch.save makes of a state_dict (.pth, .pt).
/// What it is follows from its content, not from its name. Nothing in the file is ever executed: a
/// pickle is read by an interpreter that knows tensors, texts, numbers and containers alone.
/// Names are those of the file, without the "module." of DataParallel and the "_orig_mod." of
/// torch.compile; values are of the types that it has (contiguous, on the CPU).
/// @throws InputError naming the file, and the tensor where it is one, for whatever is cut off,
///         damaged, of an unknown type or not weights.
NamedTensors read_weights(const std::filesystem::path& path);

/// Writes safetensors that torchvision's load_state_dict(strict=True) takes.
/// @throws Error{storage}
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors);

}  // namespace sweep::trainer
