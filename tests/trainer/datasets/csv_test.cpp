#include "trainer/datasets/csv.hpp"

#include <gmock/gmock.h>

#include "tests/trainer/datasets/sources.hpp"

namespace sweep::trainer {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CsvTest : public ::testing::Test {
 protected:
  Csv read(const std::string& text) {
    write_file(path(), text);
    return Csv(path());
  }
  std::string failure(const std::string& text) {
    return failure_of([&] { read(text); });
  }
  std::filesystem::path path() const { return folder_ / "labels.csv"; }

  sweep::test_support::TemporaryFolder folder_;
};

TEST_F(CsvTest, RowsKeepTheirLineNumbers) {
  const Csv csv = read("image,MEL\na,1\n\nb,0\n");
  EXPECT_THAT(csv.header(), ElementsAre("image", "MEL"));
  ASSERT_EQ(csv.rows().size(), 2U);
  EXPECT_THAT(csv.rows()[1].fields, ElementsAre("b", "0"));
  EXPECT_EQ(csv.where(csv.rows()[1]), path().string() + ":4");
}

TEST_F(CsvTest, WhatIsSeenInTheWild) {
  const std::string plain = "image,MEL\na,1\nb,\n";
  for (const std::string text : {
           "\xEF\xBB\xBFimage,MEL\r\na,1\r\nb,\r\n",       // a spreadsheet's export
           "image;MEL\na;1\nb;\n",                         // in a country with decimal commas
           "image,MEL\na,1\nb,",                           // no line end
           "image , MEL\n a,\t1 \nb, \n\n\n",              // spaces, blank lines
           "image,MEL\ra,1\rb,\r",                         // an old Mac
           "\"image\",\"MEL\"\n\"a\",\"1\"\n\"b\",\"\"\n"  // quotes everywhere
       }) {
    const Csv csv = read(text), expected = read(plain);
    EXPECT_EQ(csv.header(), expected.header()) << text;
    ASSERT_EQ(csv.rows().size(), 2U) << text;
    for (std::size_t i = 0; i < 2; ++i)
      EXPECT_EQ(csv.rows()[i].fields, expected.rows()[i].fields) << text;
  }
}

TEST_F(CsvTest, QuotesHoldSeparatorsQuotesAndLines) {
  const Csv csv = read("a,b\n\"x, \"\"y\"\"\nz\",2\n3,4\n");
  EXPECT_THAT(csv.rows()[0].fields, ElementsAre("x, \"y\"\nz", "2"));
  EXPECT_EQ(csv.rows()[1].line, 4U);
}

TEST_F(CsvTest, ColumnsAreFoundByName) {
  const Csv csv = read("MEL,image\n1,a\n");
  EXPECT_EQ(csv.column("image"), 1U);
  EXPECT_THAT(failure_of([&] { csv.column("NV"); }),
              ::testing::AllOf(HasSubstr("no column 'NV'"), HasSubstr("MEL, image")));
}

TEST_F(CsvTest, FaultsNameFileAndLine) {
  EXPECT_THAT(failure("a,b\n1,2\n3\n"), HasSubstr("labels.csv:3: the row has 1 fields"));
  EXPECT_THAT(failure("a,b\n1,2\n\"3,4\n"), HasSubstr("labels.csv:3: a quote is never closed"));
  EXPECT_THAT(failure("a,b\n\"1\"x,2\n"), HasSubstr("labels.csv:2: text behind a closing quote"));
  EXPECT_THAT(failure("a,b,a\n1,2,3\n"), HasSubstr("the column 'a' is there twice"));
  EXPECT_THAT(failure(""), HasSubstr("is empty"));
  EXPECT_THAT(failure("\n\n"), HasSubstr("is empty"));
  EXPECT_THAT(failure_of([&] { Csv(folder_ / "none.csv"); }), HasSubstr("none.csv"));
}

TEST_F(CsvTest, BytesThatAreNoTextAreRefused) {
  std::string text = "a,b\n";
  for (int i = 0; i < 256; ++i) text += static_cast<char>(i);
  EXPECT_THAT(failure(text), HasSubstr("labels.csv:2: a byte is 0"));
  const std::string wide("i\0m\0a\0g\0e\0", 10);  // UTF-16
  EXPECT_THAT(failure("\xFF\xFE" + wide), HasSubstr("labels.csv:1: a byte is 0"));
}

TEST_F(CsvTest, WhatIsTooLargeIsRefused) {
  const std::string field(1'000'000, 'x');
  for (const std::string& text : {"a,b\n1," + field + "\n", "a,b\n1,\"" + field + "\"\n"})
    EXPECT_THAT(failure(text),
                AllOf(HasSubstr("labels.csv:2: the field 'xxx"), HasSubstr("1000000 bytes")));
  EXPECT_LT(failure("a,b\n1," + field + "\n").size(), 500U);
  EXPECT_THAT(failure(field + ",b\n"), HasSubstr("labels.csv:1: the field"));
  EXPECT_THAT(failure("a,b\n" + std::string(2000, ',') + "\n"), HasSubstr("too many fields"));
  write_file(path(), "a\n");
  std::filesystem::resize_file(path(), 65U << 20);
  EXPECT_THAT(failure_of([&] { Csv{path()}; }), HasSubstr("bytes (more than a label file needs)"));
}

TEST_F(CsvTest, MessagesShowNoControlCharacters) {
  EXPECT_EQ(excerpt("a\x1B[31mb\n"), "a?[31mb?");
  EXPECT_EQ(excerpt(std::string(100, 'x')), std::string(60, 'x') + "...");
}

}  // namespace
}  // namespace sweep::trainer
