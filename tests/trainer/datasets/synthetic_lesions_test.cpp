#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "tests/trainer/datasets/sources.hpp"

namespace sweep::trainer {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<Dataset> lesions(const Json& options = Json::object()) {
  return make_dataset("synthetic_lesions", options);
}

TEST(SyntheticLesions, SummaryTellsWhatIsPrepared) {
  const auto source = lesions();
  const DatasetSummary summary = source->inspect();
  EXPECT_THAT(summary.class_names, ElementsAre("MEL", "NV", "BCC", "BKL"));
  EXPECT_THAT(summary.train_counts, Each(40));
  EXPECT_THAT(summary.test_counts, Each(16));
  const PreparedDataset prepared = prepare(*source);
  EXPECT_EQ(prepared.class_names, summary.class_names);
  for (const auto& [set, per_class] :
       {std::pair(&prepared.train, 40), std::pair(&prepared.test, 16)}) {
    EXPECT_EQ(set->height, 64);
    EXPECT_EQ(set->width, 64);
    EXPECT_EQ(set->images.size(), static_cast<std::size_t>(4 * per_class * 3 * 64 * 64));
    for (std::int64_t k = 0; k < 4; ++k)
      EXPECT_EQ(std::count(set->labels.begin(), set->labels.end(), k), per_class);
    EXPECT_EQ(std::set(set->sample_ids.begin(), set->sample_ids.end()).size(), set->labels.size());
  }
}

// A change of these bytes changes every result that was made with them: then the version in the
// source fingerprint must change too.
TEST(SyntheticLesions, AreTheSameBytesOnEveryMachine) {
  const auto source = lesions();
  const PreparedDataset prepared = prepare(*source);
  EXPECT_EQ(source->inspect().source_fingerprint, "painted, version 2");
  EXPECT_EQ(digest(prepared.train),
            "a07016cac432c1809d8eec284f16245dd44877df425d004ba992f2fb430f9983");
  EXPECT_EQ(digest(prepared.test),
            "22fbfa9297ab6fd403d053b2c5c19f2b51361b0fee26a4dd71d5d12dd50dc2d8");
}

TEST(SyntheticLesions, TheNumberOfThreadsDoesNotMatter) {
  const auto source = lesions({{"train_per_class", 5}, {"test_per_class", 3}});
  const PreparedDataset one = prepare(*source, 1), eight = prepare(*source, 8);
  EXPECT_EQ(one.train.images, eight.train.images);
  EXPECT_EQ(one.test.images, eight.test.images);
}

TEST(SyntheticLesions, AnImageDoesNotDependOnTheOthers) {
  const PreparedDataset few = prepare(*lesions({{"train_per_class", 2}, {"test_per_class", 1}}));
  const PreparedDataset many = prepare(*lesions({{"train_per_class", 6}, {"test_per_class", 2}}));
  EXPECT_TRUE(
      std::equal(few.train.images.begin(), few.train.images.end(), many.train.images.begin()));
  EXPECT_TRUE(std::equal(few.test.images.begin(), few.test.images.end(), many.test.images.begin()));
  EXPECT_TRUE(std::equal(few.train.sample_ids.begin(), few.train.sample_ids.end(),
                         many.train.sample_ids.begin()));
}

TEST(SyntheticLesions, SeedsAndSplitsDiffer) {
  const Json sizes{{"train_per_class", 2}, {"test_per_class", 2}};
  const PreparedDataset first = prepare(*lesions(sizes));
  Json other = sizes;
  other["seed"] = 1;
  EXPECT_NE(first.train.images, prepare(*lesions(other)).train.images);
  EXPECT_NE(first.train.images, first.test.images);
}

TEST(SyntheticLesions, AnySizeIsPainted) {
  for (const int size : {16, 33, 224}) {
    const PreparedDataset prepared =
        prepare(*lesions({{"image_size", size}, {"train_per_class", 1}, {"test_per_class", 1}}));
    EXPECT_EQ(prepared.train.images.size(), static_cast<std::size_t>(4 * 3 * size * size));
    const auto [low, high] =
        std::minmax_element(prepared.train.images.begin(), prepared.train.images.end());
    EXPECT_GT(*high - *low, 100) << size;
  }
}

/// Mean of a channel over the middle of all images of one class, in [0,1].
double middle(const ImageSet& set, std::int64_t label, std::size_t channel) {
  double sum = 0;
  int count = 0;
  for (std::size_t i = 0; i < set.labels.size(); ++i)
    for (std::size_t row = 24; set.labels[i] == label && row < 40; ++row)
      for (std::size_t column = 24; column < 40; ++column, ++count)
        sum += set.images[((3 * i + channel) * 64 + row) * 64 + column] / 255.0;
  return sum / count;
}

TEST(SyntheticLesions, ClassesDifferInColour) {
  const ImageSet train = prepare(*lesions()).train;
  constexpr std::int64_t kMel = 0, kNv = 1, kBcc = 2, kBkl = 3;
  for (const auto other : {kNv, kBcc, kBkl})
    EXPECT_LT(middle(train, kMel, 0), middle(train, other, 0)) << "melanomas are the darkest";
  for (const auto other : {kMel, kNv, kBkl})
    EXPECT_GT(middle(train, kBcc, 0) - middle(train, kBcc, 1),
              middle(train, other, 0) - middle(train, other, 1))
        << "basal cell carcinomas are the reddest";
}

TEST(SyntheticLesions, StopWhenToldTo) {
  int calls = 0;
  const auto action = [&] {
    lesions()->prepare(4, [&](std::int64_t, std::int64_t) { return ++calls < 10; });
  };
  EXPECT_THAT(failure_of(action, FailureType::internal), HasSubstr("stopped"));
  EXPECT_EQ(calls, 10);
}

TEST(SyntheticLesions, OptionsOutOfRangeAreRefused) {
  EXPECT_THAT(failure_of([] { lesions({{"image_size", 8}}); }), HasSubstr("image_size"));
  EXPECT_THAT(failure_of([] { lesions({{"test_per_class", 0}}); }), HasSubstr("test_per_class"));
}

}  // namespace
}  // namespace sweep::trainer
