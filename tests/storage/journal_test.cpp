#include "storage/journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>

#include "core/text.hpp"
#include "tests/support/child.hpp"
#include "tests/support/message_of.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::storage {
namespace {

using test_support::message_of;

class JournalTest : public ::testing::Test {
 protected:
  void add_text(const std::string& text) { std::ofstream(path_, std::ios::app) << text; }

  void add(const Json& event) const {
    Journal journal(path_);
    journal.append(event);
    journal.commit();
  }

  std::vector<int> numbers() const {
    std::vector<int> list;
    for (const auto& event : read_journal(path_)) list.push_back(event.at("n"));
    return list;
  }

  const test_support::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "runs/one/journal.jsonl";
};

TEST_F(JournalTest, GivesBackTheEventsInOrder) {
  Journal journal(path_);
  EXPECT_EQ(numbers(), std::vector<int>{});
  for (int n = 0; n < 3; ++n) journal.append({{"n", n}});
  EXPECT_EQ(numbers(), std::vector<int>{}) << "before they are committed";
  journal.commit();
  journal.commit();
  EXPECT_EQ(numbers(), (std::vector<int>{0, 1, 2}));
}

TEST_F(JournalTest, IsOneJsonObjectWithItsTimePerLine) {
  add({{"text", "two\nlines, 皮膚"}});
  EXPECT_THAT(read_text(path_),
              ::testing::MatchesRegex(
                  "\\{\"text\":\"two\\\\nlines, 皮膚\",\"time\":\"20..-..-..T..:..:..Z\"\\}\n"));
}

TEST_F(JournalTest, GoesOnWhereAnEarlierRunStopped) {
  add({{"n", 1}});
  add({{"n", 2}});
  EXPECT_EQ(numbers(), (std::vector<int>{1, 2}));
}

TEST_F(JournalTest, TornTailIsCutOffBeforeTheNextEvent) {
  add({{"n", 1}});
  for (const char* torn : {"{\"n\":", "{\"n\":7}"}) {
    add_text(torn);
    EXPECT_EQ(numbers(), std::vector<int>{1}) << torn;
    const Journal reopened(path_);
    EXPECT_EQ(numbers(), std::vector<int>{1}) << torn;
  }
  add({{"n", 2}});
  EXPECT_EQ(numbers(), (std::vector<int>{1, 2}));
}

TEST_F(JournalTest, LinesThatAreNoObjectsAreSkipped) {
  add({{"n", 1}});
  add_text("\n\n[]\nnonsense\n");
  add({{"n", 2}});
  EXPECT_EQ(numbers(), (std::vector<int>{1, 2}));
}

TEST_F(JournalTest, BytesThatAreNoUtf8DoNotLoseTheEvent) {
  add({{"n", 1}, {"message", "killed \xff here"}});
  ASSERT_EQ(numbers(), std::vector<int>{1});
  EXPECT_EQ(read_journal(path_)[0]["message"], "killed \xef\xbf\xbd here");
}

TEST_F(JournalTest, FullDiskLeavesNoHalfLineAndTheEventIsKept) {
  const int status = test_support::in_child([&] {
    Journal journal(path_);
    journal.append({{"n", 1}});
    journal.commit();
    test_support::limit_file_size(200);
    journal.append({{"n", 2}, {"text", std::string(200, 'x')}});
    message_of([&] { journal.commit(); }, FailureType::storage);
    if (numbers() != std::vector<int>{1}) std::abort();
    test_support::limit_file_size(1000);
    journal.append({{"n", 3}});
    journal.commit();
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(numbers(), (std::vector<int>{1, 2, 3}));
}

TEST_F(JournalTest, ALinkIsNotFollowed) {
  write_atomically(folder_ / "mine", "no end of line");
  std::filesystem::create_symlink(folder_ / "mine", folder_ / "journal.jsonl");
  message_of([&] { Journal journal(folder_ / "journal.jsonl"); }, FailureType::storage);
  EXPECT_EQ(read_text(folder_ / "mine"), "no end of line");
}

TEST_F(JournalTest, LongAndDeepLinesAreLeftOut) {
  const std::filesystem::path path = folder_ / "journal.jsonl";
  const std::string deep(1'000'000, '[');
  write_atomically(
      path, concat("{\"n\": 1}\n{\"n\": ", deep, std::string(deep.size(), ']'), "}\n{\"n\": \"",
                   std::string(std::size_t{20} << 20, 'x'), "\"}\n{\"n\": 2}\n{\"n\": 3"));
  const auto events = read_journal(path);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events.back().at("n"), 2);
  { Journal mended(path); }
  EXPECT_TRUE(read_text(path).ends_with("{\"n\": 2}\n"));
}

TEST_F(JournalTest, CannotBeOpenedBelowAFile) {
  write_atomically(folder_ / "file", "x");
  message_of([&] { Journal journal(folder_ / "file/journal.jsonl"); }, FailureType::storage);
}

TEST_F(JournalTest, MayLieInTheCurrentFolder) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  Journal journal("bare.jsonl");
  journal.append({{"n", 1}});
  journal.commit();
  std::filesystem::current_path(before);
  EXPECT_EQ(read_journal(folder_ / "bare.jsonl").size(), 1u);
}

TEST(UtcTime, IsIso8601) {
  EXPECT_TRUE(std::regex_match(utc_time(), std::regex(R"(20\d\d-[01]\d-[0-3]\dT\d\d:\d\d:\d\dZ)")));
}

}  // namespace
}  // namespace sweep::storage
