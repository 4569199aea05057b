#include "trainer/datasets/split.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/hash.hpp"
#include "trainer/datasets/random.hpp"

namespace sweep::trainer {
namespace {

bool by_class_and_id(const LabelledImage& a, const LabelledImage& b) {
  return a.label != b.label ? a.label < b.label : a.id < b.id;
}

}  // namespace

std::vector<LabelledImage> subsample(std::vector<LabelledImage> images, std::size_t count, std::int64_t seed) {
  std::sort(images.begin(), images.end(), by_class_and_id);
  Random random(derive_seed(seed, "subsample"));
  random.shuffle(images);
  images.resize(std::min(count, images.size()));
  return images;
}

Split split_by_group(std::vector<LabelledImage> images, double test_fraction, std::int64_t seed) {
  std::sort(images.begin(), images.end(), by_class_and_id);
  std::map<std::int64_t, std::map<std::string, std::vector<LabelledImage>>> classes;
  for (auto& image : images) classes[image.label][image.group].push_back(std::move(image));
  Split split;
  for (auto& [label, groups] : classes) {
    std::vector<std::vector<LabelledImage>> shuffled;
    std::size_t total = 0, test = 0;
    for (auto& [name, group] : groups) {
      total += group.size();
      shuffled.push_back(std::move(group));
    }
    Random random(derive_seed(seed, "split", label));
    random.shuffle(shuffled);
    const auto wanted = static_cast<std::size_t>(std::lround(test_fraction * static_cast<double>(total)));
    for (const auto& group : shuffled) {
      auto& side = test < wanted ? split.test : split.train;
      if (test < wanted) test += group.size();
      side.insert(side.end(), group.begin(), group.end());
    }
  }
  std::sort(split.train.begin(), split.train.end(), by_class_and_id);
  std::sort(split.test.begin(), split.test.end(), by_class_and_id);
  return split;
}

}  // namespace sweep::trainer
