#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "trainer/tensors.hpp"
#include "trainer/weights/file.hpp"
#include "trainer/weights/pickle.hpp"

namespace sweep::trainer {

struct Storage {
  std::string key;
  at::ScalarType type = at::kFloat;
  std::int64_t elements = 0, bytes = 0;
};

/// What a persistent id says: ("storage", TYPE, KEY, DEVICE, ELEMENTS), in old files with None
/// behind. Nothing when `stored` is of another kind, or of a type or size that no storage has.
std::optional<Storage> read_storage(const Pickle& pickle, const PickleValue& stored);

/// Fills `bytes` with the storage of this key, which must have just as many.
using ReadStorage = std::function<void(const std::string& key, std::span<std::byte> bytes)>;

/// The tensors of a pickled state_dict, or of a checkpoint that holds one under "state_dict",
/// "model" or "model_state_dict". Storages are read one at a time; a tensor gets a copy of the part
/// that it shows. Together they must not have more than four times the bytes of the file: sharing a
/// storage many times makes no giant of a small file.
/// @throws InputError naming the tensor
NamedTensors read_state_dict(const WeightFile& file, const Pickle& pickle, const ReadStorage& fill);

}  // namespace sweep::trainer
