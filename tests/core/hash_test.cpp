#include "core/hash.hpp"

#include <gtest/gtest.h>

#include <set>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep {
namespace {

// FIPS 180-2, appendix B.
constexpr char kEmpty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr char kAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr char kMillion[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256, IsThatOfTheStandard) {
  EXPECT_EQ(sha256(""), kEmpty);
  EXPECT_EQ(sha256("abc"), kAbc);
  EXPECT_EQ(sha256(std::string(1000000, 'a')), kMillion);
}

TEST(Sha256, PiecesGiveTheHashOfTheWhole) {
  Sha256 hash;
  for (int i = 0; i < 1000; ++i) hash.update(std::string(1000, 'a'));
  EXPECT_EQ(hash.finish(), kMillion);
}

TEST(DeriveSeed, DiffersInEveryArgument) {
  std::set<std::uint64_t> seeds;
  for (const int seed : {0, 1, -1})
    for (const char* purpose : {"init", "noise"})
      for (const int i : {0, 1, 12})
        for (const int j : {0, 1, 2}) seeds.insert(derive_seed(seed, purpose, i, j));
  EXPECT_EQ(seeds.size(), 3u * 2 * 3 * 3);
}

TEST(Sha256OfFile, IsThatOfItsContent) {
  const test_support::TemporaryFolder folder;
  const std::string text(3'000'000, 'x');
  write_atomically(folder / "a", text);
  EXPECT_EQ(sha256_of_file(folder / "a"), sha256(text));
  write_atomically(folder / "empty", "");
  EXPECT_EQ(sha256_of_file(folder / "empty"), sha256(""));
  EXPECT_THROW(sha256_of_file(folder / "none"), Error);
}

// Another value here means that every result of every user changes.
TEST(DeriveSeed, IsTheSameForEver) {
  EXPECT_EQ(derive_seed(0, "init"), 4471505388313224829u);
  EXPECT_EQ(derive_seed(42, "noise", 3, 7), 12798277339812140544u);
}

}  // namespace
}  // namespace sweep
