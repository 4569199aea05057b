// An HDF5 file of a user, in this process. Users' files are read in a process of their own, because
// libhdf5 itself can be crashed: what is looked for here are faults of our code around it.

#include <memory>
#include <vector>

#include "storage/hdf5/user_file.hpp"
#include "tests/fuzz/target.hpp"

using namespace sweep;
using storage::hdf5::WantedArray;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::int64_t kMost = std::int64_t{1} << 24, kSide = 4096;
  const std::vector<std::int64_t> images{kMost, 3, kSide, kSide};
  const std::vector<WantedArray> wanted{
      {"images", WantedArray::Values::pixels, images},
      {"labels", WantedArray::Values::integers, {kMost}},
      {"group/more", WantedArray::Values::pixels, images, /*required=*/false}};
  const fuzz::InputFile input(fuzz::as_text(data, size));
  const auto allocate = [](storage::ElementType type, std::vector<std::int64_t> shape) {
    storage::Array array{type, std::move(shape), nullptr};
    const auto memory = std::make_shared<std::vector<std::byte>>(array.bytes());
    array.data = std::shared_ptr<const void>(memory, memory->data());
    return array;
  };
  fuzz::may_refuse([&] { storage::hdf5::read_user_file(input.path(), wanted, allocate); });
  return 0;
}
