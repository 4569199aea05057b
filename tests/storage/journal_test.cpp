#include "storage/journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>

#include "tests/support/child.hpp"
#include "tests/support/message_of.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::storage {
namespace {

using testing::message_of;

class JournalTest : public ::testing::Test {
 protected:
  void add_text(const std::string& text) { std::ofstream(path_, std::ios::app) << text; }

  std::vector<int> numbers() const {
    std::vector<int> list;
    for (const auto& event : read_journal(path_)) list.push_back(event.at("n"));
    return list;
  }

  const testing::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "runs/one/journal.jsonl";
};

TEST_F(JournalTest, GivesBackTheEventsInOrder) {
  Journal journal(path_);
  EXPECT_EQ(numbers(), std::vector<int>{});
  for (int n = 0; n < 3; ++n) journal.append({{"n", n}});
  EXPECT_EQ(numbers(), (std::vector<int>{0, 1, 2}));
}

TEST_F(JournalTest, IsOneJsonObjectWithItsTimePerLine) {
  Journal(path_).append({{"text", "two\nlines, 皮膚"}});
  EXPECT_THAT(read_text(path_),
              ::testing::MatchesRegex(
                  "\\{\"text\":\"two\\\\nlines, 皮膚\",\"time\":\"20..-..-..T..:..:..Z\"\\}\n"));
}

TEST_F(JournalTest, GoesOnWhereAnEarlierRunStopped) {
  Journal(path_).append({{"n", 1}});
  Journal(path_).append({{"n", 2}});
  EXPECT_EQ(numbers(), (std::vector<int>{1, 2}));
}

TEST_F(JournalTest, TornTailIsCutOffBeforeTheNextEvent) {
  Journal(path_).append({{"n", 1}});
  for (const char* torn : {"{\"n\":", "{\"n\":7}"}) {
    add_text(torn);
    EXPECT_EQ(numbers(), std::vector<int>{1}) << torn;
    const Journal reopened(path_);
    EXPECT_EQ(numbers(), std::vector<int>{1}) << torn;
  }
  Journal(path_).append({{"n", 2}});
  EXPECT_EQ(numbers(), (std::vector<int>{1, 2}));
}

TEST_F(JournalTest, LinesThatAreNoObjectsAreSkipped) {
  Journal(path_).append({{"n", 1}});
  add_text("\n\n[]\nnonsense\n");
  Journal(path_).append({{"n", 2}});
  EXPECT_EQ(numbers(), (std::vector<int>{1, 2}));
}

TEST_F(JournalTest, BytesThatAreNoUtf8DoNotLoseTheEvent) {
  Journal(path_).append({{"n", 1}, {"message", "killed \xff here"}});
  ASSERT_EQ(numbers(), std::vector<int>{1});
  EXPECT_EQ(read_journal(path_)[0]["message"], "killed \xef\xbf\xbd here");
}

TEST_F(JournalTest, FullDiskLosesOneEventAndNoOther) {
  const int status = testing::in_child([&] {
    Journal journal(path_);
    journal.append({{"n", 1}});
    testing::limit_file_size(100);
    message_of(
        [&] {
          journal.append({{"n", 2}, {"text", std::string(200, 'x')}});
        },
        FailureType::storage);
    journal.append({{"n", 3}});
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(numbers(), (std::vector<int>{1, 3}));
}

TEST_F(JournalTest, CannotBeOpenedBelowAFile) {
  write_atomically(folder_ / "file", "x");
  message_of([&] { Journal journal(folder_ / "file/journal.jsonl"); }, FailureType::storage);
}

TEST_F(JournalTest, MayLieInTheCurrentFolder) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  Journal("bare.jsonl").append({{"n", 1}});
  std::filesystem::current_path(before);
  EXPECT_EQ(read_journal(folder_ / "bare.jsonl").size(), 1u);
}

TEST(UtcTime, IsIso8601) {
  EXPECT_TRUE(std::regex_match(utc_time(), std::regex(R"(20\d\d-[01]\d-[0-3]\dT\d\d:\d\d:\d\dZ)")));
}

}  // namespace
}  // namespace sweep::storage
