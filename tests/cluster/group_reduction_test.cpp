#include "cluster/group_reduction.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numeric>
#include <random>

#include "core/error.hpp"

namespace sweep::cluster {
namespace {

struct Letter {
  int from, to;
  std::string text;
};

/// Ranks 10, 11, ... that send each other letters; the test decides when they arrive.
class Group {
 public:
  explicit Group(int size) {
    std::vector<int> ranks(static_cast<std::size_t>(size));
    std::iota(ranks.begin(), ranks.end(), 10);
    for (const int rank : ranks)
      members_.push_back(
          std::make_unique<GroupReduction>(7, ranks, rank, [this, rank](int to, std::string text) {
            letters_.push_back({rank, to, std::move(text)});
          }));
  }

  GroupReduction& operator[](std::size_t index) { return *members_[index]; }

  /// Delivers all letters, the next one drawn at random; of a pair of ranks in order, or not.
  void deliver(std::uint32_t seed) {
    std::mt19937 draw(seed);
    while (!letters_.empty()) {
      const auto chosen = letters_.begin() + static_cast<long>(draw() % letters_.size());
      const Letter letter = *chosen;
      letters_.erase(chosen);
      EXPECT_TRUE(is_of_a_group(letter.text));
      EXPECT_EQ(group_of(letter.text), 7);
      members_[static_cast<std::size_t>(letter.to - 10)]->receive(letter.from, letter.text);
    }
  }

 private:
  std::vector<std::unique_ptr<GroupReduction>> members_;
  std::vector<Letter> letters_;
};

template <class T>
std::span<std::byte> bytes(std::vector<T>& values) {
  return std::as_writable_bytes(std::span(values));
}

class Sizes : public testing::TestWithParam<std::tuple<int, std::size_t>> {};

TEST_P(Sizes, AddsUpInTheOrderOfTheGroupWhateverArrivesFirst) {
  const auto [size, count] = GetParam();
  std::vector<std::vector<double>> given;
  std::mt19937 draw(3);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (int rank = 0; rank < size; ++rank) {
    given.emplace_back(count);
    for (auto& value : given.back()) value = uniform(draw) * std::pow(10, rank);
  }
  std::vector<double> expected(count);
  for (std::size_t i = 0; i < count; ++i)
    for (const auto& values : given) expected[i] += values[i];
  for (const std::uint32_t seed : {1U, 2U, 3U}) {
    Group group(size);
    auto values = given;
    for (std::size_t rank = 0; rank < values.size(); ++rank)
      group[rank].start(5, bytes(values[rank]), Element::float64, Reduction::sum);
    group.deliver(seed);
    for (std::size_t rank = 0; rank < values.size(); ++rank) {
      EXPECT_EQ(values[rank], expected);
      EXPECT_THAT(group[rank].take_done(), testing::ElementsAre(5));
      EXPECT_FALSE(group[rank].pending());
    }
  }
}

// More ranks than values: some have no part of their own.
INSTANTIATE_TEST_SUITE_P(Groups, Sizes,
                         testing::Combine(testing::Values(2, 3, 4, 7),
                                          testing::Values(0, 1, 5, 1000)));

TEST(GroupReduction, GivesAllWhatTheFirstHas) {
  Group group(3);
  std::vector<std::vector<float>> values{{1.5F, -0.F, 3}, {4, 5, 6}, {7, 8, 9}};
  for (std::size_t rank = 0; rank < 3; ++rank)
    group[rank].start(1, bytes(values[rank]), Element::float32, Reduction::first);
  group.deliver(1);
  for (const auto& each : values) {
    EXPECT_THAT(each, testing::ElementsAre(1.5F, 0.F, 3.F));
    EXPECT_TRUE(std::signbit(each[1]));
  }
}

TEST(GroupReduction, RoundsOnce) {
  Group group(4);
  std::vector<std::vector<float>> values{{0x1p24F}, {1}, {1}, {0}};  // one by one: 1 + 2^24 = 2^24
  for (std::size_t rank = 0; rank < 4; ++rank)
    group[rank].start(1, bytes(values[rank]), Element::float32, Reduction::sum);
  group.deliver(1);
  EXPECT_EQ(values[3][0], 0x1p24F + 2);
}

TEST(GroupReduction, AddsBfloat16) {
  constexpr std::uint16_t kOne = 0x3f80, kThree = 0x4040, kNan = 0x7fc0, kInfinity = 0x7f80,
                          kEps = 0x3b80;  // 2^-8: half a step at 1
  Group group(2);
  std::vector<std::vector<std::uint16_t>> values{{kOne, kOne, kNan, kInfinity},
                                                 {kThree, kEps, kOne, kOne}};
  for (std::size_t rank = 0; rank < 2; ++rank)
    group[rank].start(1, bytes(values[rank]), Element::bfloat16, Reduction::sum);
  group.deliver(1);
  EXPECT_THAT(values[0], testing::ElementsAre(0x4080, kOne, kNan, kInfinity));
  EXPECT_EQ(values[0], values[1]);
}

TEST(GroupReduction, ManyMayBeUnderWay) {
  Group group(3);
  std::vector<std::vector<float>> a{{1, 2}, {3, 4}, {5, 6}}, b{{10}, {20}, {30}};
  for (std::size_t rank = 0; rank < 3; ++rank) {
    group[rank].start(1, bytes(a[rank]), Element::float32, Reduction::sum);
    EXPECT_TRUE(group[rank].pending());
    group[rank].start(2, bytes(b[rank]), Element::float32, Reduction::sum);
  }
  group.deliver(9);
  for (std::size_t rank = 0; rank < 3; ++rank) {
    EXPECT_THAT(a[rank], testing::ElementsAre(9, 12));
    EXPECT_THAT(b[rank], testing::ElementsAre(60));
    EXPECT_THAT(group[rank].take_done(), testing::UnorderedElementsAre(1, 2));
  }
}

TEST(GroupReduction, RefusesOtherSizesAndStrangers) {
  Group group(2);
  std::vector<float> two{1, 2}, four{1, 2, 3, 4};
  group[0].start(1, bytes(two), Element::float32, Reduction::sum);
  group[1].start(1, bytes(four), Element::float32, Reduction::sum);
  EXPECT_THROW(group.deliver(1), Error);
  Group other(2);
  std::string letter;
  GroupReduction sender(7, {10, 11}, 10, [&](int, std::string text) { letter = std::move(text); });
  sender.start(1, bytes(two), Element::float32, Reduction::sum);
  EXPECT_THROW(other[1].receive(12, letter), Error);
  EXPECT_FALSE(is_of_a_group(R"({"type": "task"})"));
  EXPECT_FALSE(is_of_a_group(""));
}

}  // namespace
}  // namespace sweep::cluster
