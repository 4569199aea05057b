#include "core/text.hpp"

#include <gtest/gtest.h>

namespace sweep {
namespace {

using Texts = std::vector<std::string>;

TEST(Join, PutsTheSeparatorBetweenAllParts) {
  EXPECT_EQ(join(Texts{}, ", "), "");
  EXPECT_EQ(join(Texts{"a"}, ", "), "a");
  EXPECT_EQ(join(Texts{"a", "b", "c"}, ", "), "a, b, c");
  EXPECT_EQ(join(Texts{"", "a", ""}, ","), ",a,");
}

TEST(Split, IsTheOppositeOfJoin) {
  for (const Texts& parts : {Texts{""}, Texts{"a"}, Texts{"a", "b"}, Texts{"", "a", ""}})
    EXPECT_EQ(split(join(parts, ","), ','), parts);
}

TEST(Suggestion, NamesTheNearestWhenItIsNear) {
  const Texts names{"epsilon", "steps", "alpha"};
  EXPECT_EQ(suggestion("epsilom", names), " (did you mean 'epsilon'?)");
  EXPECT_EQ(suggestion("step", names), " (did you mean 'steps'?)");
  EXPECT_EQ(suggestion("learning_rate", names), " (valid: epsilon, steps, alpha)");
  EXPECT_EQ(suggestion("anything", Texts{}), "");
}

TEST(DurationText, UsesTheUnitsThatFit) {
  EXPECT_EQ(duration_text(0), "0.0 s");
  EXPECT_EQ(duration_text(4.21), "4.2 s");
  EXPECT_EQ(duration_text(59.94), "59.9 s");
  EXPECT_EQ(duration_text(59.97), "1 min 00 s");
  EXPECT_EQ(duration_text(185), "3 min 05 s");
  EXPECT_EQ(duration_text(3599.6), "1 h 00 min");
  EXPECT_EQ(duration_text(2 * 3600 + 7 * 60), "2 h 07 min");
}

TEST(Fixed, HasSoManyDecimals) {
  EXPECT_EQ(fixed(93.456, 1), "93.5");
  EXPECT_EQ(fixed(-2, 2), "-2.00");
  EXPECT_EQ(fixed(1e80, 0).size(), 81u);
}

TEST(Concat, StreamsItsArguments) {
  EXPECT_EQ(concat("a", 1, '/', 0.5, std::string("b")), "a1/0.5b");
}

}  // namespace
}  // namespace sweep
