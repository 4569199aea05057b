#include "trainer/datasets/exif.hpp"

#include <gmock/gmock.h>

#include "tests/trainer/datasets/sources.hpp"
#include "trainer/datasets/image.hpp"

namespace sweep::trainer {
namespace {

/// A JPEG file with an EXIF block that holds this one entry.
std::string with_exif(std::string jpeg, int tag, int type, int value, bool big_endian = false) {
  const auto number = [&](int n, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i)
      text += static_cast<char>(n >> 8 * (big_endian ? bytes - 1 - i : i));
    return text;
  };
  const std::string exif = std::string("Exif\0\0", 6) + (big_endian ? "MM" : "II") + number(42, 2) +
                           number(8, 4) + number(1, 2) +  // one entry
                           number(tag, 2) + number(type, 2) + number(1, 4) + number(value, 2) +
                           number(0, 2) + number(0, 4);
  const std::size_t size = exif.size() + 2;
  const std::string head{'\xFF', '\xE1', static_cast<char>(size >> 8), static_cast<char>(size)};
  return jpeg.insert(2, head + exif);
}

std::string turned(const std::string& jpeg, int orientation, bool big_endian = false) {
  return with_exif(jpeg, 0x0112, 3, orientation, big_endian);
}

/// Quarters of four greys, 24 x 40 pixels: a b / c d.
Pixels quarters() {
  Pixels pixels = plain(24, 40, 0, 0, 0);
  for (std::size_t row = 0; row < 24; ++row)
    for (std::size_t column = 0; column < 40; ++column)
      for (std::size_t c = 0; c < 3; ++c)
        pixels.rgb[3 * (row * 40 + column) + c] =
            static_cast<std::uint8_t>(30 + 60 * (2 * (row / 12) + column / 20));
  return pixels;
}

/// The quarters as letters, row by row.
std::string letters(const Pixels& pixels) {
  std::string text;
  for (const auto row : {pixels.height / 4, 3 * pixels.height / 4})
    for (const auto column : {pixels.width / 4, 3 * pixels.width / 4}) {
      const int grey = pixels.rgb[static_cast<std::size_t>(3 * (row * pixels.width + column))];
      text += static_cast<char>('a' + (grey - 10) / 60);
    }
  return text;
}

class ExifTest : public ::testing::Test {
 protected:
  Pixels decode(const std::string& jpeg) {
    write_file(folder_ / "image.jpg", jpeg);
    EXPECT_EQ(quick_image_problem(folder_ / "image.jpg"), "");
    return decode_image(folder_ / "image.jpg");
  }

  std::string jpeg_ = jpeg_of(quarters());
  sweep::test_support::TemporaryFolder folder_;
};

TEST_F(ExifTest, EveryOrientationIsTurnedUpright) {
  EXPECT_EQ(letters(decode(jpeg_)), "abcd");
  const struct {
    int orientation;
    std::string upright;
  } cases[] = {{1, "abcd"}, {2, "badc"}, {3, "dcba"}, {4, "cdab"},
               {5, "acbd"}, {6, "cadb"}, {7, "dbca"}, {8, "bdac"}};
  for (const auto& [orientation, upright] : cases)
    for (const bool big_endian : {false, true}) {
      const Pixels pixels = decode(turned(jpeg_, orientation, big_endian));
      EXPECT_EQ(letters(pixels), upright) << orientation;
      EXPECT_EQ(pixels.height, orientation < 5 ? 24 : 40) << orientation;
      EXPECT_EQ(pixels.width, orientation < 5 ? 40 : 24) << orientation;
    }
}

TEST_F(ExifTest, NonsenseIsUpright) {
  for (const int orientation : {0, 9, 65535})
    EXPECT_EQ(letters(decode(turned(jpeg_, orientation))), "abcd") << orientation;
  EXPECT_EQ(letters(decode(with_exif(jpeg_, 0x010F, 3, 6))), "abcd");  // another tag
}

TEST_F(ExifTest, DamagedBlocksAreNoCrash) {
  const std::string whole = turned(jpeg_, 6);
  for (std::size_t at = 2; at < 50; ++at)
    for (const char byte : {'\0', '\x7F', '\xFF'}) {
      std::string damaged = whole;
      damaged[at] = byte;
      const int orientation = exif_orientation(damaged);
      EXPECT_GE(orientation, 1);
      EXPECT_LE(orientation, 8);
    }
  for (std::size_t size = 0; size < 50; ++size)
    EXPECT_EQ(exif_orientation(whole.substr(0, size)) % 5, 1) << size;  // 1 or 6
}

}  // namespace
}  // namespace sweep::trainer
