#include "trainer/weights/weights.hpp"

#include "trainer/weights/safetensors.hpp"

namespace sweep::trainer {

NamedTensors read_weights(const std::filesystem::path& path) {
  const WeightFile file(path);
  return read_safetensors(file);
}

}  // namespace sweep::trainer
