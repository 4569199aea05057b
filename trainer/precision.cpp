#include "trainer/precision.hpp"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::trainer {
namespace {

thread_local Precision current_precision = Precision::float32;

void set(Precision precision, int device_type) {
  const auto device = static_cast<at::DeviceType>(device_type);
  current_precision = precision;
  at::autocast::set_autocast_dtype(device, at::kBFloat16);
  at::autocast::set_autocast_enabled(device, precision == Precision::bf16);
}

}  // namespace

Precision precision_on(const c10::Device& device, const std::string& name) {
  const Precision precision = precision_from(name);
  if (precision == Precision::tf32 && !device.is_cuda())
    throw InputError(concat("precision = \"tf32\" on ", device.str(),
                            " (only CUDA has this format); choose float32 or bf16, or a GPU"));
  return precision;
}

Tf32::Tf32(Precision precision)
    : convolutions_(at::globalContext().allowTF32CuDNN()),
      products_(at::globalContext().allowTF32CuBLAS()) {
  at::globalContext().setAllowTF32CuDNN(precision == Precision::tf32);
  at::globalContext().setAllowTF32CuBLAS(precision == Precision::tf32);
}

Tf32::~Tf32() {
  at::globalContext().setAllowTF32CuDNN(convolutions_);
  at::globalContext().setAllowTF32CuBLAS(products_);
}

Autocast::Autocast(Precision precision, const c10::Device& device)
    : device_type_(static_cast<int>(device.type())),
      before_(current_precision),
      kept_before_(at::autocast::is_autocast_cache_enabled()) {
  at::autocast::set_autocast_cache_enabled(false);
  set(precision == Precision::bf16 ? Precision::bf16 : Precision::float32, device_type_);
}

Autocast::~Autocast() {
  set(before_, device_type_);
  at::autocast::set_autocast_cache_enabled(kept_before_);
}

Precision Autocast::current() {
  return current_precision;
}

}  // namespace sweep::trainer
