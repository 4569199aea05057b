#include "trainer/datasets/dataset.hpp"

#include <numeric>

namespace sweep::trainer {
namespace {

std::int64_t sum_of(const std::vector<std::int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

}  // namespace

std::int64_t DatasetSummary::train_total() const {
  return sum_of(train_counts);
}

std::int64_t DatasetSummary::test_total() const {
  return sum_of(test_counts);
}

}  // namespace sweep::trainer
