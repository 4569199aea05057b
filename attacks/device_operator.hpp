#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <utility>

namespace sweep::attacks {

/// An operator of the namespace "sweep": it does in one pass over memory what LibTorch's own do in
/// several, on devices for which a kernel has been loaded (trainer/cuda). Who calls it registers
/// its schema, and has another way for the rest.
/// @tparam Signature  that of the schema, e.g. at::Tensor(const at::Tensor&, double)
template <class Signature>
class DeviceOperator {
 public:
  /// @param name  "sweep::NAME"
  explicit DeviceOperator(const char* name)
      : operator_(
            c10::Dispatcher::singleton().findSchemaOrThrow(name, "").template typed<Signature>()) {}

  /// Whether there is a kernel for the device of `tensor`.
  bool serves(const at::Tensor& tensor) const {
    return operator_.hasKernelForDispatchKey(tensor.is_cuda() ? c10::DispatchKey::CUDA
                                                              : c10::DispatchKey::CPU);
  }

  template <class... Arguments>
  auto operator()(Arguments&&... arguments) const {
    return operator_.call(std::forward<Arguments>(arguments)...);
  }

 private:
  c10::TypedOperatorHandle<Signature> operator_;
};

}  // namespace sweep::attacks
