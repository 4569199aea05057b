#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "core/error.hpp"
#include "core/json.hpp"

namespace sweep::storage {

enum class ElementType { uint8, int64, float32, float64 };

std::size_t element_bytes(ElementType type);

template <class T>
constexpr ElementType element_type_of() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return ElementType::uint8;
  if constexpr (std::is_same_v<T, std::int64_t>) return ElementType::int64;
  if constexpr (std::is_same_v<T, float>) return ElementType::float32;
  if constexpr (std::is_same_v<T, double>) return ElementType::float64;
}

/// A dense row-major array that shares ownership of its bytes: memory of its own, or part of a
/// memory-mapped artifact. Never modified once made.
struct Array {
  ElementType type = ElementType::float32;
  std::vector<std::int64_t> shape;
  std::shared_ptr<const void> data;

  std::int64_t count() const;  ///< number of elements
  std::size_t bytes() const { return static_cast<std::size_t>(count()) * element_bytes(type); }

  /// @throws Error{bad_data} when T is not the array's type.
  template <class T>
  std::span<const T> values() const {
    if (type != element_type_of<T>())
      throw Error(FailureType::bad_data, "an array of the artifact has an unexpected element type");
    return {static_cast<const T*>(data.get()), static_cast<std::size_t>(count())};
  }

  /// Takes over the vector. @throws Error{internal} when its size is not the product of the shape.
  template <class T>
  static Array own(std::vector<T> values, std::vector<std::int64_t> shape) {
    auto held = std::make_shared<std::vector<T>>(std::move(values));
    Array array{element_type_of<T>(), std::move(shape),
                std::shared_ptr<const void>(held, held->data())};
    if (array.count() != static_cast<std::int64_t>(held->size()))
      throw Error(FailureType::internal, "an array has not as many values as its shape says");
    return array;
  }
};

/// What an artifact holds. Names with '/' become HDF5 groups.
struct Content {
  /// Flat: texts (of UTF-8, up to their first NUL), integers and numbers. Whatever else is there,
  /// true and false included, is kept as its JSON text and read back as that text.
  Json attributes = Json::object();
  std::map<std::string, Array> arrays;  ///< "images", "labels", "state/conv1.weight", ...

  /// @throws Error{bad_data} naming the array that is missing.
  const Array& array(const std::string& name) const;
};

}  // namespace sweep::storage
