#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runner/report/artifacts.hpp"
#include "runner/report/statistics.hpp"

namespace sweep::report {

/// The evaluation of one seed.
struct Answers {
  std::int64_t seed = 0;
  const Evaluation* evaluation = nullptr;
};

/// McNemar's test of two trials.
struct SeedPair {
  std::int64_t seed = 0, reference_seed = 0;
  McNemar mcnemar;  ///< first: ours
};

/// A cell beside the cell of a reference row in the same column, over the same images.
struct Comparison {
  std::string reference;  ///< the row's label
  double difference =
      0;              ///< accuracy minus that of the reference, means over seeds, percent points
  Interval interval;  ///< 95 %, paired bootstrap over the images
  std::int64_t images = 0;
  /// One for each of our seeds when the reference has one seed or equally many (paired in order);
  /// else empty.
  std::vector<SeedPair> pairs;
};

/// Nothing when one of the two has no evaluation, or when they are not of the same images.
std::optional<Comparison> compare(const std::vector<Answers>& ours,
                                  const std::vector<Answers>& reference, const std::string& label);

}  // namespace sweep::report
