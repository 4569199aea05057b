#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sweep::trainer {

/// An image that a label file names.
struct LabelledImage {
  std::string id;     ///< its name in the source
  std::string group;  ///< images of one group (one lesion, one patient) stay in one split
  std::int64_t label = 0;
};

struct Split {
  std::vector<LabelledImage> train, test;  ///< each ordered by class, then by id
};

/// `count` of the images, chosen by `seed` and the ids alone, whatever their order.
std::vector<LabelledImage> subsample(std::vector<LabelledImage> images, std::size_t count,
                                     std::int64_t seed);

/// Within every class, whole groups are drawn for the test split until it has `test_fraction` of
/// the class's images, rounded. A group with images of several classes goes where its first class
/// has put it. Depends on `seed`, ids and groups alone, not on the order of the images.
Split split_by_group(std::vector<LabelledImage> images, double test_fraction, std::int64_t seed);

}  // namespace sweep::trainer
