#include "core/text_table.hpp"

#include <gtest/gtest.h>

namespace sweep {
namespace {

TEST(TextTable, AlignsByLetters) {
  const TextTable table{{{"name"}, {"n", true}, {"last"}}, {{"länger", "7", ""}, {"a", "12", "x"}}};
  EXPECT_EQ(table.text(),
            "name     n  last\n"
            "----------------\n"
            "länger   7\n"
            "a       12  x\n");
}

TEST(TextTable, IsCsvToo) {
  const TextTable table{{{"a"}, {"b"}}, {{"1,2", "say \"x\""}, {"line\nbreak", ""}}};
  EXPECT_EQ(table.csv(), "a,b\n\"1,2\",\"say \"\"x\"\"\"\n\"line\nbreak\",\n");
}

TEST(TextTable, DoesNotSteerTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2J\n\x7f"), "a [2J  ");
  EXPECT_EQ(printable("\xc2\x9b"
                      "2J \xc2\xa0\xc3\xa4"),
            " 2J \xc2\xa0\xc3\xa4");
  EXPECT_EQ(printable("\xc2"), "\xc2");
  const TextTable table{{{"\x1b"}}, {{"a\nb"}}};
  EXPECT_EQ(table.text(), "\n---\na b\n");
}

TEST(TextTable, CutsBetweenLetters) {
  EXPECT_EQ(clipped("länger", 6), "länger");
  EXPECT_EQ(clipped("länger", 5), "lä...");
  EXPECT_EQ(width(clipped("€€€€€€", 4)), 4U);
}

}  // namespace
}  // namespace sweep
