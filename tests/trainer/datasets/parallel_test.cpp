#include "trainer/datasets/parallel.hpp"

#include <gmock/gmock.h>

#include <atomic>

#include "tests/trainer/datasets/sources.hpp"

namespace sweep::trainer {
namespace {

using ::testing::HasSubstr;

constexpr int kThreadCounts[] = {0, 1, 2, 8};

TEST(ForEachIndex, CallsEveryIndexOnce) {
  for (const int threads : kThreadCounts) {
    std::vector<std::atomic<int>> calls(100);
    for_each_index(100, threads, [&](std::int64_t i) { ++calls[static_cast<std::size_t>(i)]; }, {});
    for (const auto& count : calls) EXPECT_EQ(count, 1);
  }
}

TEST(ForEachIndex, ProgressCountsUpOneAtATime) {
  for (const int threads : kThreadCounts) {
    std::vector<std::int64_t> seen;
    std::atomic<int> inside{0};
    for_each_index(
        100, threads, [](std::int64_t) {},
        [&](std::int64_t done, std::int64_t total) {
          EXPECT_EQ(++inside, 1);
          EXPECT_EQ(total, 100);
          seen.push_back(done);
          --inside;
          return true;
        });
    ASSERT_EQ(seen.size(), 100U);
    for (std::size_t i = 0; i < seen.size(); ++i)
      EXPECT_EQ(seen[i], static_cast<std::int64_t>(i) + 1);
  }
}

TEST(ForEachIndex, StopsWhenProgressSaysSo) {
  for (const int threads : kThreadCounts) {
    std::atomic<int> calls{0};
    int reports = 0;
    const auto action = [&] {
      for_each_index(
          1000000, threads, [&](std::int64_t) { ++calls; },
          [&](std::int64_t, std::int64_t) { return ++reports < 3; });
    };
    EXPECT_THAT(failure_of(action, FailureType::internal), HasSubstr("stopped"));
    EXPECT_EQ(reports, 3);
    EXPECT_LE(calls, 3 + 2 * std::max(threads, 1));
  }
}

TEST(ForEachIndex, TheFirstFailureComesOut) {
  for (const int threads : kThreadCounts) {
    const auto action = [&] {
      for_each_index(100, threads,
                     [](std::int64_t i) {
                       if (i == 7) throw Error(FailureType::bad_data, "seven");
                     },
                     {});
    };
    EXPECT_EQ(failure_of(action, FailureType::bad_data), "seven");
  }
}

TEST(ForEachIndex, NothingToDoIsFine) {
  for_each_index(0, 4, [](std::int64_t) { FAIL(); }, {});
}

}  // namespace
}  // namespace sweep::trainer
