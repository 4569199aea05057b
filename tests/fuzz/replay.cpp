// Every seed and every former finding of one target, whole and cut off: in the ordinary build,
// without a fuzzer.

#include <gtest/gtest.h>

#include "tests/fuzz/target.hpp"

namespace sweep::fuzz {
namespace {

namespace fs = std::filesystem;

void feed(const std::string& bytes) {
  // A copy of just this size: a sanitizer sees the first byte that is read behind it.
  const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

/// Returns how many were read and not refused.
int feed_files(const fs::path& folder) {
  constexpr std::size_t kCuts = 24;
  int read = 0;
  for (const auto& file : fs::directory_iterator(folder)) {
    SCOPED_TRACE(file.path().string());
    const std::string bytes = read_text(file.path());
    EXPECT_NO_THROW(feed(bytes));
    read += refusal().empty() ? 1 : 0;
    for (std::size_t i = 0; i < kCuts; ++i)
      EXPECT_NO_THROW(feed(bytes.substr(0, bytes.size() * i / kCuts))) << "cut off, " << i;
  }
  return read;
}

TEST(Replay, Seeds) {
  const fs::path folder = fs::path(SWEEP_FUZZ_FOLDER) / "seeds" / SWEEP_FUZZ_TARGET;
  ASSERT_TRUE(fs::is_directory(folder)) << "a target begins with inputs that it can read";
  EXPECT_GT(feed_files(folder), 0) << "each of them was refused: " << refusal();
}

TEST(Replay, FormerFindings) {
  const fs::path folder = fs::path(SWEEP_FUZZ_FOLDER) / "findings" / SWEEP_FUZZ_TARGET;
  if (fs::is_directory(folder)) feed_files(folder);
}

}  // namespace
}  // namespace sweep::fuzz
