#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace sweep::trainer {

/// Longer ones are refused before they are read: those of the largest models have a megabyte.
inline constexpr std::uint64_t kMaxPickleBytes = 64 << 20;

/// A value of a pickle, as data. What Python would look up or call is described, never done.
struct PickleValue {
  enum class Kind { none, boolean, integer, real, text, list, tuple, dict, global, stored, call };
  using Index = std::size_t;  ///< of a value in Pickle::values

  Kind kind = Kind::none;
  std::int64_t integer = 0;  ///< of a boolean, too
  double real = 0;
  std::string text;          ///< of a global: "torch._utils._rebuild_tensor_v2"
  std::vector<Index> items;  ///< list, tuple: elements; dict: key, value, key, ...;
                             ///< stored: its persistent id; call: a global, a tuple of arguments
};

struct Pickle {
  std::deque<PickleValue> values;  ///< may refer to each other in circles: follow with care
  PickleValue::Index root = 0;
  std::size_t bytes = 0;  ///< where the pickle ends in what was read

  const PickleValue& operator[](PickleValue::Index index) const { return values[index]; }
};

/// Reads a pickle of protocol 2 to 5 that is made of what torch.save writes for a state_dict:
/// https://docs.python.org/3/library/pickletools.html. The few globals of tensors are known; every
/// other one, and every operation that only other objects need, is refused. Work and memory are
/// linear in the bytes, of which at most about a million operations are read.
/// @param path  for messages
/// @throws InputError naming the global
Pickle read_pickle(const std::filesystem::path& path, std::span<const std::byte> bytes);

}  // namespace sweep::trainer
