#include "trainer/named_tensors.hpp"

namespace sweep::trainer {

NamedTensors without_prefix(const NamedTensors& tensors, const std::string& prefix) {
  NamedTensors chosen;
  for (const auto& [name, tensor] : tensors)
    if (name.starts_with(prefix)) chosen.emplace(name.substr(prefix.size()), tensor);
  return chosen;
}

NamedTensors with_prefix(const NamedTensors& tensors, const std::string& prefix) {
  NamedTensors renamed;
  for (const auto& [name, tensor] : tensors) renamed.emplace(prefix + name, tensor);
  return renamed;
}

}  // namespace sweep::trainer
