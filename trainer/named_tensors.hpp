#pragma once

#include <string>

#include "trainer/tensors.hpp"

namespace sweep::trainer {

/// The tensors whose names start with `prefix`, without it; and the opposite.
NamedTensors without_prefix(const NamedTensors& tensors, const std::string& prefix);
NamedTensors with_prefix(const NamedTensors& tensors, const std::string& prefix);

}  // namespace sweep::trainer
