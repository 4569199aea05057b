#pragma once

#include <string_view>

#include "trainer/tensors.hpp"
#include "trainer/weights/file.hpp"

namespace sweep::trainer {

/// Reads what torch.save writes since PyTorch 1.6: a zip file of a pickle, NAME/data.pkl, and of a
/// storage per entry NAME/data/KEY. @throws InputError
NamedTensors read_pth(const WeightFile& file);

/// Reads what torch.save wrote before, as torchvision's older pretrained weights are: pickles of a
/// magic number, a version, the machine, the value and the keys of the storages, then these with
/// the number of their elements in front. @throws InputError
NamedTensors read_legacy_pth(const WeightFile& file);

/// How such a file begins: the pickle of 0x1950a86a20f9469cfc6c.
inline constexpr std::string_view legacy_magic{
    "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."};

}  // namespace sweep::trainer
