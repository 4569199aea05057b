#pragma once

#include <string>

#include "core/precision.hpp"

namespace c10 {
struct Device;
}

namespace sweep::trainer {

/// @throws InputError where the device does not have it, or nobody.
Precision precision_on(const c10::Device& device, const std::string& name);

/// While it lives, the process computes in TF32 or not.
class Tf32 {
 public:
  explicit Tf32(Precision precision);
  Tf32(const Tf32&) = delete;
  Tf32& operator=(const Tf32&) = delete;
  ~Tf32();

 private:
  bool convolutions_, products_;  ///< before it
};

/// While it lives, forward passes of this thread on such devices compute in bfloat16 or not.
/// Nothing that is cast is kept: what was cast without gradients must not be taken for what has
/// them.
class Autocast {
 public:
  Autocast(Precision precision, const c10::Device& device);
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;
  ~Autocast();

  /// Of this thread at the moment: bf16 or float32.
  static Precision current();

 private:
  int device_type_;
  Precision before_;
  bool kept_before_;
};

}  // namespace sweep::trainer
