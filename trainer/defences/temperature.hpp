#pragma once

#include "core/options.hpp"

namespace sweep::trainer {

/// The key "temperature" T of defences whose loss is T times a cross-entropy of softmax(logits /
/// T). The factor T keeps the gradient with respect to the logits as large as without a
/// temperature, and with it the learning rate in place; Papernot et al. raise the learning rate
/// instead.
template <class Options>
Option<Options> temperature_option() {
  return {"temperature",
          &Options::temperature,
          {.min = 1, .max = 1000, .doc = "T in softmax(logits / T) during training; 1 afterwards"}};
}

}  // namespace sweep::trainer
