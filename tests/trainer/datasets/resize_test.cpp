#include "trainer/datasets/resize.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/trainer/datasets/sources.hpp"

namespace sweep::trainer {
namespace {

std::vector<std::uint8_t> resized(const Pixels& pixels, std::int64_t size) {
  std::vector<std::uint8_t> planes(static_cast<std::size_t>(3 * size * size));
  resize_to_planes(pixels, size, planes);
  return planes;
}

TEST(Resize, EqualSizesOnlyMoveChannelsApart) {
  Pixels pixels{2, 2, std::vector<std::uint8_t>(12)};
  std::iota(pixels.rgb.begin(), pixels.rgb.end(), std::uint8_t{0});
  EXPECT_EQ(resized(pixels, 2), (std::vector<std::uint8_t>{0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11}));
}

TEST(Resize, PlainColoursStay) {
  for (const auto& [height, width] : {std::pair(100, 37), std::pair(1, 1), std::pair(5, 300)}) {
    const auto planes = resized(plain(height, width, 10, 128, 255), 16);
    for (std::size_t i = 0; i < planes.size(); ++i)
      ASSERT_EQ(planes[i], (std::array{10, 128, 255}[i / 256])) << i;
  }
}

TEST(Resize, TheWholeImageIsSqueezed) {
  // Black above white, twice as wide as high: nothing is cropped and the halves stay halves.
  Pixels pixels = plain(64, 128, 0, 0, 0);
  std::fill(pixels.rgb.begin() + 3 * 32 * 128, pixels.rgb.end(), std::uint8_t{255});
  const auto planes = resized(pixels, 16);
  for (std::size_t column = 0; column < 16; ++column) {
    EXPECT_EQ(planes[2 * 16 + column], 0);
    EXPECT_EQ(planes[13 * 16 + column], 255);
  }
}

TEST(Resize, TheLongestSidesAreScaled) {
  for (const auto& [height, width] : {std::pair(65535, 1), std::pair(1, 65535)}) {
    const auto planes = resized(plain(height, width, 90, 90, 90), 16);
    for (const auto value : planes) ASSERT_NEAR(value, 90, 1);
  }
}

TEST(Resize, FineChequersBecomeGrey) {
  // Without anti-aliasing every fourth pixel would be taken: all black.
  Pixels pixels = plain(64, 64, 0, 0, 0);
  for (std::size_t i = 0; i < 64 * 64; ++i)
    if ((i / 64 + i % 64) % 2 == 1)
      std::fill_n(pixels.rgb.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, std::uint8_t{255});
  const auto planes = resized(pixels, 16);
  for (std::size_t row = 1; row < 15; ++row)
    for (std::size_t column = 1; column < 15; ++column)
      ASSERT_NEAR(planes[row * 16 + column], 127, 6);
}

}  // namespace
}  // namespace sweep::trainer
