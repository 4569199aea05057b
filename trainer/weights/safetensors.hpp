#pragma once

#include "trainer/tensors.hpp"
#include "trainer/weights/file.hpp"

namespace sweep::trainer {

/// Reads https://huggingface.co/docs/safetensors (format of version 0.4): the length of a JSON
/// header in 8 bytes, the header, the bytes of the tensors without gaps.
/// @throws InputError
NamedTensors read_safetensors(const WeightFile& file);

}  // namespace sweep::trainer
