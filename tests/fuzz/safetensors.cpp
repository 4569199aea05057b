// Weights as safetensors.

#include "trainer/weights/safetensors.hpp"
#include "tests/fuzz/target.hpp"

using namespace sweep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::InputFile input(fuzz::as_text(data, size));
  fuzz::may_refuse([&] { trainer::read_safetensors(trainer::WeightFile(input.path())); });
  return 0;
}
