#pragma once

#include <cstdint>

#include "core/json.hpp"

namespace sweep::trainer {

/// Means over the images of one epoch, in training mode and while the parameters change.
struct EpochMetrics {
  double loss = 0;            ///< L, with weights
  double classification = 0;  ///< L_c; this and the next two without their weights
  double feature = 0;         ///< L_n
  double reconstruction = 0;  ///< L_a
  double accuracy = 0;        ///< of the clean images, in [0,1]
  double learning_rate = 0;
  double seconds = 0;
  double images_per_second = 0;  ///< clean images

  NLOHMANN_DEFINE_TYPE_INTRUSIVE(EpochMetrics, loss, classification, feature, reconstruction,
                                 accuracy, learning_rate, seconds, images_per_second)
};

/// Sums over the images of an epoch so far. Part of a checkpoint: a resumed epoch has the metrics
/// of an uninterrupted one.
struct EpochTotals {
  std::int64_t images = 0;
  std::int64_t correct = 0;
  double loss = 0, classification = 0, feature = 0, reconstruction = 0;
  double seconds = 0;

  EpochMetrics metrics(double learning_rate) const;

  NLOHMANN_DEFINE_TYPE_INTRUSIVE(EpochTotals, images, correct, loss, classification, feature,
                                 reconstruction, seconds)
};

}  // namespace sweep::trainer
