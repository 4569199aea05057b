#include "trainer/datasets/split.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "core/hash.hpp"
#include "trainer/datasets/random.hpp"

namespace sweep::trainer {
namespace {

bool by_class_and_id(const LabelledImage& a, const LabelledImage& b) {
  return a.label != b.label ? a.label < b.label : a.id < b.id;
}

/// The names of the groups: those that have their side already, then the others, shuffled.
template <class Groups>
std::vector<std::string> drawing_order(const Groups& groups,
                                       const std::map<std::string, bool>& tested, Random& random) {
  std::vector<std::string> settled, open;
  for (const auto& [name, images] : groups)
    (tested.contains(name) ? settled : open).push_back(name);
  random.shuffle(open);
  settled.insert(settled.end(), open.begin(), open.end());
  return settled;
}

}  // namespace

std::vector<LabelledImage> subsample(std::vector<LabelledImage> images, std::size_t count,
                                     std::int64_t seed) {
  std::sort(images.begin(), images.end(), by_class_and_id);
  Random random(derive_seed(seed, "subsample"));
  random.shuffle(images);
  images.resize(std::min(count, images.size()));
  return images;
}

Split split_by_group(std::vector<LabelledImage> images, double test_fraction, std::int64_t seed) {
  std::sort(images.begin(), images.end(), by_class_and_id);
  std::map<std::int64_t, std::map<std::string, std::vector<LabelledImage>>> classes;
  std::map<std::int64_t, std::size_t> totals;
  for (auto& image : images) {
    ++totals[image.label];
    classes[image.label][image.group].push_back(std::move(image));
  }
  Split split;
  std::map<std::string, bool> tested;  // of every group that has its side
  for (auto& [label, groups] : classes) {
    Random random(derive_seed(seed, "split", label));
    const auto wanted =
        static_cast<std::size_t>(std::lround(test_fraction * static_cast<double>(totals[label])));
    std::size_t test = 0;
    for (const auto& name : drawing_order(groups, tested, random)) {
      const bool to_test = tested.try_emplace(name, test < wanted).first->second;
      auto& group = groups[name];
      if (to_test) test += group.size();
      std::move(group.begin(), group.end(), std::back_inserter(to_test ? split.test : split.train));
    }
  }
  std::sort(split.train.begin(), split.train.end(), by_class_and_id);
  std::sort(split.test.begin(), split.test.end(), by_class_and_id);
  return split;
}

}  // namespace sweep::trainer
