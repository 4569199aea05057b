#include "trainer/defences/evaluation_mode.hpp"

#include <torch/nn/module.h>

namespace sweep::trainer {

EvaluationMode::EvaluationMode(Classifier& classifier)
    : classifier_(classifier), was_training_(classifier.module().is_training()) {
  classifier_.module().eval();
}

EvaluationMode::~EvaluationMode() {
  classifier_.module().train(was_training_);
}

}  // namespace sweep::trainer
