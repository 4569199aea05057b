#include "trainer/datasets/split.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/text.hpp"
#include "trainer/datasets/random.hpp"

namespace sweep::trainer {
namespace {

/// Classes of 60, 30 and 12 images in groups of one to three.
std::vector<LabelledImage> images() {
  std::vector<LabelledImage> images;
  Random random(3);
  for (const auto& [label, count] : {std::pair(0, 60), std::pair(1, 30), std::pair(2, 12)})
    for (int i = 0, group = 0, left = 0; i < count; ++i) {
      if (left-- == 0) ++group, left = static_cast<int>(random.below(3));
      images.push_back(
          {concat("image_", label, "_", i), concat("group_", label, "_", group), label});
    }
  return images;
}

std::vector<std::string> ids(const std::vector<LabelledImage>& images) {
  std::vector<std::string> ids;
  for (const auto& image : images) ids.push_back(image.id);
  return ids;
}

std::vector<LabelledImage> shuffled(std::vector<LabelledImage> images) {
  Random(99).shuffle(images);
  return images;
}

TEST(SplitByGroup, KeepsGroupsTogetherAndClassesInProportion) {
  for (std::int64_t seed = 0; seed < 20; ++seed) {
    const Split split = split_by_group(images(), 1.0 / 6, seed);
    EXPECT_EQ(split.train.size() + split.test.size(), 102U);
    std::set<std::string> train_groups;
    for (const auto& image : split.train) train_groups.insert(image.group);
    std::map<std::int64_t, int> tested;
    for (const auto& image : split.test) {
      EXPECT_FALSE(train_groups.contains(image.group)) << image.group;
      ++tested[image.label];
    }
    // The last group drawn may reach past the wish by what it holds beyond its first image.
    for (const auto& [label, wanted] : {std::pair(0, 10), std::pair(1, 5), std::pair(2, 2)}) {
      EXPECT_GE(tested[label], wanted);
      EXPECT_LE(tested[label], wanted + 2);
    }
  }
}

TEST(SplitByGroup, DependsOnSeedAndNamesAlone) {
  const Split split = split_by_group(images(), 0.2, 7),
              same = split_by_group(shuffled(images()), 0.2, 7);
  EXPECT_EQ(ids(split.train), ids(same.train));
  EXPECT_EQ(ids(split.test), ids(same.test));
  EXPECT_NE(ids(split.test), ids(split_by_group(images(), 0.2, 8).test));
}

TEST(SplitByGroup, AGroupOfTwoClassesIsNotTornApart) {
  auto all = images();
  for (auto& image : all)
    if (image.id.ends_with("_0") || image.id.ends_with("_1")) image.group = "shared";
  for (std::int64_t seed = 0; seed < 20; ++seed) {
    const Split split = split_by_group(all, 0.3, seed);
    const auto shared = [](const auto& image) { return image.group == "shared"; };
    const auto tested = std::count_if(split.test.begin(), split.test.end(), shared);
    EXPECT_TRUE(tested == 0 || tested == 6) << tested;
  }
}

TEST(Subsample, DrawsBySeedAndNamesAlone) {
  const auto drawn = ids(subsample(images(), 20, 1));
  EXPECT_EQ(std::set<std::string>(drawn.begin(), drawn.end()).size(), 20U);
  EXPECT_EQ(drawn, ids(subsample(shuffled(images()), 20, 1)));
  EXPECT_NE(drawn, ids(subsample(images(), 20, 2)));
}

TEST(RandomNumbers, AreThePublishedSequence) {
  // SplitMix64 with seed 1234567, as in the public reference implementation's test vectors.
  Random random(1234567);
  EXPECT_EQ(random.bits(), 6457827717110365317U);
  EXPECT_EQ(random.bits(), 3203168211198807973U);
  EXPECT_EQ(random.bits(), 9817491932198370423U);
}

TEST(RandomNumbers, BelowIsUniform) {
  Random random(1);
  std::array<int, 5> counts{};
  for (int i = 0; i < 50000; ++i) ++counts[random.below(5)];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 400);
}

TEST(RandomNumbers, NormalHasMeanZeroAndVarianceOne) {
  Random random(1);
  double sum = 0, squares = 0;
  for (int i = 0; i < 20000; ++i) {
    const double value = random.normal();
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / 20000, 0, 0.03);
  EXPECT_NEAR(squares / 20000, 1, 0.05);
}

}  // namespace
}  // namespace sweep::trainer
