// Whatever happens to the process that reads, this one gets an error.

#include "storage/isolated.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "core/error.hpp"
#include "tests/support/message_of.hpp"

namespace sweep::storage {
namespace {

using ::testing::HasSubstr;

std::string isolated_message(const std::function<Content(SharedMemory&)>& read,
                             FailureType type = FailureType::bad_input) {
  return test_support::message_of([&] { read_isolated("the set 'x'", read); }, type);
}

TEST(Isolated, ArraysAndAttributesComeBack) {
  const Content content = read_isolated("x", [](SharedMemory& memory) {
    Content made;
    for (const int count : {3, 5000}) {
      Array array = memory.allocate(ElementType::int64, {count});
      auto* values = static_cast<std::int64_t*>(const_cast<void*>(array.data.get()));
      for (int i = 0; i < count; ++i) values[i] = i * count;
      made.arrays.emplace(std::to_string(count), std::move(array));
    }
    made.attributes["name"] = "a set";
    return made;
  });
  EXPECT_EQ(content.attributes.at("name"), "a set");
  EXPECT_THAT(content.array("3").values<std::int64_t>(), ::testing::ElementsAre(0, 3, 6));
  EXPECT_EQ(content.array("5000").values<std::int64_t>()[4999], 4999 * 5000);
}

TEST(Isolated, ErrorsKeepTheirTypeAndText) {
  EXPECT_EQ(isolated_message([](SharedMemory&) -> Content { throw InputError("no labels"); }),
            "no labels");
  EXPECT_EQ(
      isolated_message([](SharedMemory&) -> Content { throw Error(FailureType::bad_data, "y"); },
                       FailureType::bad_data),
      "y");
}

TEST(Isolated, Crash) {
  EXPECT_THAT(isolated_message([](SharedMemory&) -> Content {
                ::raise(SIGSEGV);
                return {};
              }),
              HasSubstr("the set 'x' can't be read (the process that read it died: Segmentation"));
  EXPECT_THAT(isolated_message([](SharedMemory&) -> Content { std::abort(); }),
              HasSubstr("Aborted"));
  EXPECT_THAT(isolated_message([](SharedMemory&) -> Content { ::_exit(3); }), HasSubstr("error"));
}

TEST(Isolated, AnEndWithoutAWord) {
  EXPECT_THAT(isolated_message([](SharedMemory&) -> Content { ::_exit(0); }),
              HasSubstr("no sense"));
}

TEST(Isolated, AnArrayThatIsNotThere) {
  const std::vector<std::vector<std::int64_t>> shapes{{4, -1}, {std::int64_t{1} << 62, 4}, {5000}};
  for (const auto& shape : shapes)
    EXPECT_THAT(isolated_message(
                    [&](SharedMemory& memory) {
                      Array array = memory.allocate(ElementType::uint8, {3});
                      array.shape = shape;
                      return Content{.arrays = {{"a", array}}};
                    },
                    FailureType::internal),
                HasSubstr("less than it announced"));
}

TEST(Isolated, MoreMemoryThanIsExplained) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they reserve terabytes
  EXPECT_THAT(isolated_message([](SharedMemory&) -> Content {
                const std::vector<char> large(std::size_t{2} << 30);
                throw InputError(std::to_string(large.size()));
              }),
              HasSubstr("far more memory"));
#endif
}

}  // namespace
}  // namespace sweep::storage
