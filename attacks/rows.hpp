#pragma once

#include <ATen/core/Tensor.h>

namespace sweep::attacks {

/// The rows of `tensor`, in its memory order, which index_select does not keep.
inline at::Tensor rows_of(const at::Tensor& tensor, const at::Tensor& rows) {
  return tensor.index_select(0, rows).contiguous(tensor.suggest_memory_format());
}

}  // namespace sweep::attacks
