#include "storage/array.hpp"

#include <functional>
#include <numeric>

#include "core/text.hpp"

namespace sweep::storage {

std::size_t element_bytes(ElementType type) {
  switch (type) {
    case ElementType::uint8:
      return 1;
    case ElementType::float32:
      return 4;
    case ElementType::int64:
    case ElementType::float64:
      return 8;
  }
  return 0;
}

std::int64_t Array::count() const {
  // Unsigned: a shape with a 0 may pass through products that overflow.
  return static_cast<std::int64_t>(std::accumulate(shape.begin(), shape.end(), std::uint64_t{1},
                                                   std::multiplies<std::uint64_t>()));
}

const Array& Content::array(const std::string& name) const {
  const auto found = arrays.find(name);
  if (found == arrays.end())
    throw Error(FailureType::bad_data, concat("the artifact has no array '", name, "'"));
  return found->second;
}

}  // namespace sweep::storage
