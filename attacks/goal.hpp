#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>

namespace sweep::attacks {

/// What an attack wants of the images of a batch.
struct Goal {
  /// Labels, to be left: an untargeted attack on the first images of a set.
  Goal(at::Tensor labels) : classes(std::move(labels)) {}  // NOLINT(google-explicit-constructor)
  Goal(at::Tensor classes_, bool targeted_, std::int64_t first_image_)
      : classes(std::move(classes_)), targeted(targeted_), first_image(first_image_) {}

  at::Tensor classes;            ///< [N] int64: to be left, or to be reached
  bool targeted = false;         ///< to be reached
  std::int64_t first_image = 0;  ///< place of the batch in its set: randomness follows from it

  /// The same for some images: their indices in the batch. Not for attacks that draw numbers.
  Goal of(const at::Tensor& rows) const {
    return {classes.index_select(0, rows), targeted, first_image};
  }
};

}  // namespace sweep::attacks
