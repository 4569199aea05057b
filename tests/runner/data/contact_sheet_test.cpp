#include "runner/data/contact_sheet.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "core/error.hpp"

namespace sweep::data {
namespace {

/// A split whose image i has the grey 10 i, and of which every third is of class 1.
void add_split(storage::Content& content, const std::string& split, std::int64_t count,
               std::int64_t size) {
  std::vector<std::uint8_t> images;
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < count; ++i) {
    images.insert(images.end(), static_cast<std::size_t>(3 * size * size),
                  static_cast<std::uint8_t>(10 * i));
    labels.push_back(i % 3 == 0 ? 1 : 0);
  }
  content.arrays[split + "/images"] =
      storage::Array::own(std::move(images), {count, 3, size, size});
  content.arrays[split + "/labels"] = storage::Array::own(std::move(labels), {count});
}

std::set<int> greys(const trainer::Pixels& sheet, std::int64_t first_row, std::int64_t rows) {
  std::set<int> found;
  for (std::int64_t y = first_row; y < first_row + rows; ++y)
    for (std::int64_t x = 0; x < sheet.width; ++x)
      found.insert(sheet.rgb[static_cast<std::size_t>(3 * (y * sheet.width + x))]);
  return found;
}

TEST(ContactSheet, HasARowForEveryClassOfEverySplit) {
  storage::Content dataset;
  add_split(dataset, "train", 24, 32);
  add_split(dataset, "test", 3, 32);
  const trainer::Pixels sheet = contact_sheet(dataset, {"a", "b"});
  ASSERT_EQ(sheet.rgb.size(), static_cast<std::size_t>(3 * sheet.height * sheet.width));
  const std::int64_t row = (sheet.height - 4) / 4;
  // Below the caption: the images of the class and the paper, nothing else.
  const auto tiles = [&](int index) { return greys(sheet, 4 + index * row + 14, 32); };
  EXPECT_EQ(tiles(0), (std::set<int>{10, 40, 70, 100, 130, 160, 190, 220, 255}));
  EXPECT_EQ(tiles(1), (std::set<int>{0, 30, 60, 90, 120, 150, 180, 210, 255}));
  EXPECT_EQ(tiles(2), (std::set<int>{10, 20, 255}));
  EXPECT_EQ(tiles(3), (std::set<int>{0, 255}));
  for (int index = 0; index < 4; ++index)  // the captions are ink on paper
    EXPECT_EQ(greys(sheet, 4 + index * row, 12), (std::set<int>{0, 255}));
}

TEST(ContactSheet, LargeImagesAndLongNamesFit) {
  storage::Content dataset;
  add_split(dataset, "train", 6, 300);
  add_split(dataset, "test", 6, 300);
  const trainer::Pixels sheet =
      contact_sheet(dataset, {std::string(500, 'W'), "\xC3\xA4\x01 not ASCII"});
  EXPECT_EQ(sheet.width, 8 * (128 + 4) + 4);
}

TEST(ContactSheet, RefusesOtherArtifacts) {
  EXPECT_THROW(contact_sheet({}, {"a"}), Error);
}

}  // namespace
}  // namespace sweep::data
