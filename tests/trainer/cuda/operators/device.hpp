#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/device.hpp"

namespace sweep::trainer {

/// Where the operators are tested: a GPU with the module's own kernels where there is one, else the
/// CPU, for which the test program has registered them.
inline at::Device tested_device() {
  static const at::Device device = select_device("auto");
  return device;
}

}  // namespace sweep::trainer
