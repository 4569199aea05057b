#include "core/untrusted_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/atomic_file.hpp"
#include "tests/support/message_of.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep {
namespace {

using test_support::message_of;
using ::testing::HasSubstr;

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

TEST(UntrustedJson, IsNotNestedDeeply) {
  EXPECT_TRUE(parse_untrusted(nested(64)).is_array());
  EXPECT_TRUE(parse_untrusted(nested(65)).is_null());
  EXPECT_TRUE(parse_untrusted(std::string(1'000'000, '{')).is_null());
  EXPECT_TRUE(parse_untrusted("{\"a\":").is_null());
}

TEST(UntrustedJson, BracketsInTextsAreNoNesting) {
  const std::string text = R"("\"\\)" + std::string(100, '[') + "\"";
  EXPECT_TRUE(parse_untrusted(text).is_string());
  EXPECT_TRUE(parse_untrusted(R"(["\\", )" + nested(64) + "]").is_null());
}

TEST(UntrustedJson, NamesWhatIsWrong) {
  const Json json = {{"a", {{"b", {1, "x", 1e300}}}}, {"n", nullptr}};
  const JsonOrigin origin{"file.json", "mend it"};
  const JsonNode root(json, origin);
  const auto list = root.at("a").at("b").list();
  EXPECT_EQ(list[0].integer(), 1);
  EXPECT_FALSE(root.find("n"));
  EXPECT_FALSE(root.find("missing"));
  EXPECT_EQ(message_of([&] { root.at("c"); }), "'file.json' is damaged (c is missing); mend it");
  EXPECT_THAT(message_of([&] { list[1].integer(); }), HasSubstr("(a.b[1] is not an integer"));
  EXPECT_THAT(message_of([&] { list[2].integer(); }), HasSubstr("(a.b[2] is not an integer"));
  EXPECT_THAT(message_of([&] { list[0].find("c"); }), HasSubstr("(a.b[0] is not a table)"));
  EXPECT_THAT(message_of([&] { root.list(); }), HasSubstr("(the file is not a list)"));
}

TEST(UntrustedJson, FilesAreReadUpToALimit) {
  const test_support::TemporaryFolder folder;
  write_atomically(folder / "file", "12345");
  EXPECT_EQ(read_bounded(folder / "file", 5), "12345");
  EXPECT_THAT(message_of([&] { read_bounded(folder / "file", 4); }), HasSubstr("has 5 bytes"));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  for (const auto& path : {std::filesystem::path("/dev/zero"), folder.path(), folder / "pipe"})
    EXPECT_THAT(message_of([&] { read_bounded(path, 4); }), HasSubstr("is not a file")) << path;
}

}  // namespace
}  // namespace sweep
