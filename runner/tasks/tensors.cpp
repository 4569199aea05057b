#include "runner/tasks/tensors.hpp"

#include <ATen/ATen.h>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::tasks {
namespace {

using storage::ElementType;

at::ScalarType scalar_type(ElementType type) {
  switch (type) {
    case ElementType::uint8:
      return at::kByte;
    case ElementType::int64:
      return at::kLong;
    case ElementType::float32:
      return at::kFloat;
    case ElementType::float64:
      return at::kDouble;
  }
  return at::kFloat;
}

ElementType element_type(at::ScalarType type) {
  for (const auto candidate :
       {ElementType::uint8, ElementType::int64, ElementType::float32, ElementType::float64})
    if (scalar_type(candidate) == type) return candidate;
  throw Error(FailureType::internal,
              concat("tensors of type ", at::toString(type), " can't be stored"));
}

}  // namespace

at::Tensor to_tensor(const storage::Array& array) {
  auto* data = const_cast<void*>(array.data.get());
  const auto options = at::TensorOptions().dtype(scalar_type(array.type));
  if (data == nullptr) return at::empty(array.shape, options);
  return at::from_blob(
      data, array.shape, [held = array.data](void*) {}, options);
}

storage::Array to_array(const at::Tensor& tensor) {
  const auto held = std::make_shared<at::Tensor>(tensor.detach().cpu().contiguous());
  return {element_type(held->scalar_type()), held->sizes().vec(),
          std::shared_ptr<const void>(held, held->const_data_ptr())};
}

at::Tensor images_of(const storage::Content& dataset, const std::string& split) {
  return to_tensor(dataset.array(split + "/images"));
}

at::Tensor labels_of(const storage::Content& dataset, const std::string& split) {
  return to_tensor(dataset.array(split + "/labels"));
}

}  // namespace sweep::tasks
