#pragma once

#include "trainer/models/model.hpp"

namespace sweep::trainer {

/// Puts a classifier into evaluation mode for a while: attacks on it must neither move its running
/// statistics nor meet dropout.
class EvaluationMode {
 public:
  explicit EvaluationMode(Classifier& classifier);
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;
  ~EvaluationMode();

 private:
  Classifier& classifier_;
  bool was_training_;
};

}  // namespace sweep::trainer
