#include "core/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/message_of.hpp"

namespace sweep {
namespace {

using test_support::message_of;
using ::testing::HasSubstr;
using IntRegistry = Registry<int (*)()>;

IntRegistry registry_of_one_and_two() {
  IntRegistry registry;
  registry.add("one", {"the first", {}, [] { return 1; }});
  registry.add("two", {"the second", {}, [] { return 2; }});
  return registry;
}

TEST(Registry, FindsWhatWasAdded) {
  const IntRegistry registry = registry_of_one_and_two();
  EXPECT_EQ(registry.at("two").make(), 2);
  EXPECT_EQ(registry.at("one").summary, "the first");
  EXPECT_EQ(registry.entries().size(), 2u);
}

TEST(Registry, RefusesADuplicateAndKeepsTheFirst) {
  IntRegistry registry = registry_of_one_and_two();
  const auto add = [&] { registry.add("one", {"another", {}, [] { return 3; }}); };
  EXPECT_THAT(message_of(add, FailureType::internal), HasSubstr("'one' is registered twice"));
  EXPECT_EQ(registry.at("one").make(), 1);
}

TEST(Registry, NamesTheNearestOnAMiss) {
  const IntRegistry registry = registry_of_one_and_two();
  EXPECT_THAT(message_of([&] { registry.at("twoo"); }), HasSubstr("did you mean 'two'?"));
}

}  // namespace
}  // namespace sweep
