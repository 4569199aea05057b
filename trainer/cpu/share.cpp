#include "trainer/cpu/share.hpp"

#include <ATen/ATen.h>
#include <ATen/TensorIterator.h>

namespace sweep::trainer::cpu {

/// Through an iterator of its own, because at::parallel_for is a header for whoever compiles with
/// its very OpenMP.
void share(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& f) {
  auto places = at::empty({count}, at::kByte);
  const char* first = static_cast<const char*>(places.const_data_ptr());
  auto iterator = at::TensorIterator::nullary_op(places);
  iterator.for_each(
      [&](char** data, const std::int64_t* /*strides*/, std::int64_t size) {
        const std::int64_t begin = data[0] - first;
        f(begin, begin + size);
      },
      /*grain_size=*/1);
}

}  // namespace sweep::trainer::cpu
