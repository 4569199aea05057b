// Weights as torch.save writes them: in a zip file, or in the format before PyTorch 1.6.

#include "tests/fuzz/target.hpp"
#include "trainer/weights/weights.hpp"

using namespace sweep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::InputFile input(fuzz::as_text(data, size));
  fuzz::may_refuse([&] { trainer::read_weights(input.path()); });
  return 0;
}
