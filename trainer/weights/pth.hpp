#pragma once

#include "trainer/tensors.hpp"
#include "trainer/weights/file.hpp"

namespace sweep::trainer {

/// Reads what torch.save writes since PyTorch 1.6: a zip file of a pickle, NAME/data.pkl, and of a
/// storage per entry NAME/data/KEY. @throws InputError
NamedTensors read_pth(const WeightFile& file);

}  // namespace sweep::trainer
