#include "runner/tensorboard/event_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/tensorboard/crc32c.hpp"
#include "runner/tensorboard/scalars.hpp"
#include "tests/end_to_end/program.hpp"
#include "tests/support/child.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::tensorboard {
namespace {

constexpr int kSkipped = 77;

/// Reads with each Python that there is until one can.
sweep::test_support::Outcome read_events(const std::string& reader,
                                         const std::filesystem::path& folder) {
  sweep::test_support::Outcome outcome{kSkipped, ""};
  std::string pythons = SWEEP_PYTHONS;
  if (const char* more = ::getenv("SWEEP_TENSORBOARD_PYTHON")) pythons = concat(more, ":", pythons);
  for (const auto& python : split(pythons, ':')) {
    if (!std::filesystem::exists(python)) continue;
    // What TensorBoard warns of goes elsewhere.
    outcome = sweep::test_support::run_shell(concat("'", python, "' -B '", SWEEP_READ_EVENTS, "' ",
                                                    reader, " '", folder.string(), "' 2>'",
                                                    folder.string(), ".errors'"));
    if (outcome.status != kSkipped) break;
  }
  if (outcome.status != 0 && outcome.status != kSkipped)
    outcome.output += read_text(folder.string() + ".errors");
  return outcome;
}

class EventFileTest : public ::testing::TestWithParam<const char*> {
 protected:
  void expect_scalars(const Json& expected) const {
    const auto outcome = read_events(GetParam(), folder());
    if (outcome.status == kSkipped) GTEST_SKIP() << "no Python here has " << GetParam();
    ASSERT_EQ(outcome.status, 0) << outcome.output;
    EXPECT_EQ(Json::parse(outcome.output), expected);
  }
  std::filesystem::path folder() const { return temporary_.path() / "deep" / "trial"; }

 private:
  sweep::test_support::TemporaryFolder temporary_;
};

INSTANTIATE_TEST_SUITE_P(Readers, EventFileTest, ::testing::Values("framing", "tensorboard"),
                         [](const auto& reader) { return std::string(reader.param); });

TEST_P(EventFileTest, HoldsScalarsByStep) {
  EventFile file(folder());
  file.add_scalars(10, 1.7e9, {{"loss/total", 1.5}, {"learning_rate", 0.25}});
  file.add_scalars(20, 1.7e9 + 1, {{"loss/total", -0.75}});
  expect_scalars({{"learning_rate", {{10, 0.25}}}, {"loss/total", {{10, 1.5}, {20, -0.75}}}});
}

TEST_P(EventFileTest, HoldsWhatIsNotFiniteAndLargeSteps) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EventFile file(folder());
  file.add_scalars(0, 1.7e9, {{"a", std::nan("")}});
  file.add_scalars(std::int64_t{1} << 40, 1.7e9, {{"a", kInfinity}});
  file.add_scalars((std::int64_t{1} << 40) + 1, 1.7e9, {{"a", -kInfinity}});
  expect_scalars(
      {{"a", {{0, "nan"}, {std::int64_t{1} << 40, "inf"}, {(std::int64_t{1} << 40) + 1, "-inf"}}}});
}

TEST_P(EventFileTest, ATornRecordIsSkippedAndANewFileGoesOn) {
  {
    EventFile file(folder());
    file.add_scalars(1, 1.7e9, {{"a", 1}});
    file.add_scalars(2, 1.7e9, {{"a", 2}});
    std::filesystem::resize_file(file.path(), std::filesystem::file_size(file.path()) - 3);
  }
  EventFile file(folder());
  file.add_scalars(2, 1.7e9, {{"a", 2}});
  file.add_scalars(3, 1.7e9, {{"a", 3}});
  expect_scalars({{"a", {{1, 1.0}, {2, 2.0}, {3, 3.0}}}});
}

TEST(EventFile, HasAPathOfItsOwn) {
  const sweep::test_support::TemporaryFolder folder;
  EventFile first(folder.path()), second(folder.path());
  EXPECT_NE(first.path(), second.path());
  EXPECT_THAT(first.path().filename().string(), ::testing::StartsWith("events.out.tfevents.1"));
}

TEST(EventFile, SaysThatTheDiskIsFull) {
  const int status = sweep::test_support::in_child([] {
    const sweep::test_support::TemporaryFolder folder;
    EventFile file(folder.path());
    const auto size = std::filesystem::file_size(file.path());
    sweep::test_support::limit_file_size(size + 10);
    EXPECT_THROW(file.add_scalars(1, 1.7e9, {{"a", 1}}), Error);
    EXPECT_EQ(std::filesystem::file_size(file.path()), size) << "half a record is left";
  });
  EXPECT_EQ(status, 0);
}

/// RFC 3720, appendix B.4, and the usual check value.
TEST(Crc32c, IsThatOfTheStandard) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
}

TEST(ScalarsOf, NamesMetrics) {
  const auto scalars = scalars_of({{"loss", 1.5}, {"accuracy", nullptr}, {"seconds", 3}});
  ASSERT_EQ(scalars.size(), 2);
  EXPECT_EQ(scalars.at("loss/total"), 1.5);
  EXPECT_TRUE(std::isnan(scalars.at("accuracy/train")));
}

}  // namespace
}  // namespace sweep::tensorboard
