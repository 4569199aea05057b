#include "trainer/metrics.hpp"

namespace sweep::trainer {

EpochMetrics EpochTotals::metrics(double learning_rate) const {
  const auto count = static_cast<double>(images);
  return {.loss = loss / count,
          .classification = classification / count,
          .feature = feature / count,
          .reconstruction = reconstruction / count,
          .accuracy = static_cast<double>(correct) / count,
          .learning_rate = learning_rate,
          .seconds = seconds,
          .images_per_second = seconds > 0 ? count / seconds : 0};
}

}  // namespace sweep::trainer
