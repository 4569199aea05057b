#pragma once

#include <cstdint>
#include <string>

#include "storage/array.hpp"

namespace at {
class Tensor;
}

namespace sweep::tasks {

/// The array's memory as a tensor on the CPU, without a copy. Must not be written to.
at::Tensor to_tensor(const storage::Array& array);

/// The tensor's values as an array; the array keeps contiguous CPU tensors alive instead of
/// copying.
storage::Array to_array(const at::Tensor& tensor);

/// A split of a prepared dataset: images [N,3,H,W] uint8, labels [N] int64.
at::Tensor images_of(const storage::Content& dataset, const std::string& split);
at::Tensor labels_of(const storage::Content& dataset, const std::string& split);

}  // namespace sweep::tasks
