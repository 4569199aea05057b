// An artifact behind its checksum, which an attacker can compute as well: attributes and mapped
// arrays.

#include <algorithm>
#include <memory>
#include <vector>

#include "storage/hdf5/image.hpp"
#include "tests/fuzz/target.hpp"

using namespace sweep;

namespace {

/// Reads every byte of the arrays: the sanitizer sees one that lies elsewhere.
std::size_t ones(const storage::Content& content) {
  std::size_t count = 0;
  for (const auto& [name, array] : content.arrays) {
    const auto* bytes = static_cast<const std::byte*>(array.data.get());
    count += static_cast<std::size_t>(std::count(bytes, bytes + array.bytes(), std::byte{1}));
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::InputFile input(fuzz::as_text(data, size));
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  const auto memory = std::make_shared<std::vector<std::byte>>(bytes, bytes + size);
  const std::shared_ptr<const std::byte> mapping(memory, memory->data());
  fuzz::may_refuse([&] {
    volatile std::size_t count = ones(storage::hdf5::read_mapped(input.path(), mapping, size));
    (void)count;
  });
  return 0;
}
