#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/options.hpp"

namespace sweep::trainer {

/// How a network is trained: classifiers with SGD as in the paper's section 3.1. What the paper
/// leaves open has the defaults that are common for these networks.
struct TrainingOptions {
  std::int64_t epochs = 80;
  std::int64_t batch_size = 64;
  std::string optimizer = "sgd";  ///< "sgd" or "adam"
  double learning_rate = 0.01;
  double momentum = 0.9;                         ///< of SGD
  double weight_decay = 1e-4;                    ///< on all parameters
  std::vector<double> milestones = {0.5, 0.75};  ///< fractions of the epochs
  double gamma = 0.1;                 ///< the learning rate is multiplied by it at every milestone
  bool flip = true;                   ///< horizontal flips of half of the images
  std::string precision = "float32";  ///< see trainer/precision.hpp
  std::int64_t seed = 0;              ///< parameters, order, flips and noise
};

OptionTable<TrainingOptions> training_options();
Schema training_schema();

/// The learning rate of the epoch `epoch` (0 is the first): milestone m has passed once the
/// fraction m of the epochs is done.
double learning_rate_at(const TrainingOptions& options, std::int64_t epoch);

}  // namespace sweep::trainer
