// The pickle inside of a .pth file: in the file itself the zip's checksum keeps inventions away
// from it.

#include <algorithm>

#include "tests/fuzz/target.hpp"
#include "trainer/weights/pickle.hpp"
#include "trainer/weights/state_dict.hpp"

using namespace sweep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::as_text(data, size);
  const fuzz::InputFile input(text);
  fuzz::may_refuse([&] {
    const trainer::WeightFile file(input.path());
    const auto pickle = trainer::read_pickle(file.path(), std::as_bytes(std::span(text)));
    trainer::read_state_dict(file, pickle, [](const std::string&, std::span<std::byte> bytes) {
      std::fill(bytes.begin(), bytes.end(), std::byte{1});
    });
  });
  return 0;
}
