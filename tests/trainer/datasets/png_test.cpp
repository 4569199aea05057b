#include "trainer/datasets/png.hpp"

#include <gmock/gmock.h>
#include <png.h>

#include "tests/trainer/datasets/sources.hpp"
#include "trainer/datasets/image.hpp"

namespace sweep::trainer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// PNG file of 40 x 64 pixels; `format` and the bytes of `pixels` as libpng has them.
std::string png_of(png_uint_32 format, const void* pixels, const void* colours = nullptr) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = 64;
  image.height = 40;
  image.format = format;
  image.colormap_entries = colours == nullptr ? 0 : 2;
  png_alloc_size_t size = 0;
  EXPECT_NE(png_image_write_to_memory(&image, nullptr, &size, 0, pixels, 0, colours), 0);
  std::string file(size, '\0');
  EXPECT_NE(png_image_write_to_memory(&image, file.data(), &size, 0, pixels, 0, colours), 0);
  return file;
}

std::string rgb_png() {
  return png_of(PNG_FORMAT_RGB, plain(40, 64, 10, 20, 30).rgb.data());
}

class PngTest : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& bytes) {
    write_file(folder_ / "image.png", bytes);
    return folder_ / "image.png";
  }
  void expect_pixels(const std::string& bytes, int red, int green, int blue) {
    EXPECT_EQ(quick_png_problem(file(bytes)), "");
    const Pixels pixels = decode_png(folder_ / "image.png");
    EXPECT_EQ(pixels.height, 40);
    EXPECT_EQ(pixels.width, 64);
    ASSERT_EQ(pixels.rgb.size(), 3U * 40 * 64);
    for (std::size_t i = 0; i < pixels.rgb.size(); i += 3) {
      ASSERT_EQ(pixels.rgb[i], red);
      ASSERT_EQ(pixels.rgb[i + 1], green);
      ASSERT_EQ(pixels.rgb[i + 2], blue);
    }
  }
  void expect_refused(const std::string& bytes, const std::string& reason) {
    EXPECT_THAT(failure_of([&] { decode_png(file(bytes)); }, FailureType::bad_data),
                AllOf(HasSubstr("image.png"), HasSubstr(reason)));
  }

  sweep::test_support::TemporaryFolder folder_;
};

TEST_F(PngTest, EveryKindBecomesRgb) {
  expect_pixels(rgb_png(), 10, 20, 30);
  const std::vector<std::uint8_t> grey(40 * 64, 77);
  expect_pixels(png_of(PNG_FORMAT_GRAY, grey.data()), 77, 77, 77);
  std::vector<std::uint8_t> opaque, clear;
  for (int i = 0; i < 40 * 64; ++i) {
    opaque.insert(opaque.end(), {1, 2, 3, 255});
    clear.insert(clear.end(), {1, 2, 3, 0});
  }
  expect_pixels(png_of(PNG_FORMAT_RGBA, opaque.data()), 1, 2, 3);
  expect_pixels(png_of(PNG_FORMAT_RGBA, clear.data()), 0, 0, 0);
  const std::vector<std::uint8_t> indices(40 * 64, 1);
  const std::uint8_t colours[] = {0, 0, 0, 200, 100, 50};
  expect_pixels(png_of(PNG_FORMAT_RGB_COLORMAP, indices.data(), colours), 200, 100, 50);
  const std::vector<std::uint16_t> white(3 * 40 * 64, 65535);  // 16 bit, linear
  expect_pixels(png_of(PNG_FORMAT_LINEAR_RGB, white.data()), 255, 255, 255);
}

TEST_F(PngTest, FilesThatAreCutOffAreRefused) {
  const std::string png = rgb_png();
  for (const std::size_t size : {png.size() - 20, png.size() / 2, std::size_t{20}}) {
    EXPECT_THAT(quick_png_problem(file(png.substr(0, size))), HasSubstr("cut off")) << size;
    expect_refused(png.substr(0, size), "can't be decoded");
  }
}

TEST_F(PngTest, FilesOfAnotherKindAreRefused) {
  EXPECT_EQ(quick_png_problem(file("<html>")), "is no PNG image");
  expect_refused("<html>", "can't be decoded");
  EXPECT_EQ(quick_png_problem(file("")), "is empty");
  EXPECT_EQ(quick_image_problem(file("<html>")), "is no JPEG, PNG or DICOM image");
  EXPECT_EQ(quick_image_problem(file("")), "is empty");
  EXPECT_THAT(quick_image_problem(folder_ / "none.png"), HasSubstr("can't be opened"));
}

/// PNG file of 40 x 64 pixels with any depth, colour type and interlacing, one row of bytes over
/// and over: what png_of can't write.
std::string raw_png(int depth, int colour_type, const std::vector<std::uint8_t>& row,
                    bool interlaced = false) {
  std::string file;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &file,
      [](png_structp writer, png_bytep bytes, png_size_t size) {
        static_cast<std::string*>(png_get_io_ptr(writer))
            ->append(reinterpret_cast<const char*>(bytes), size);
      },
      nullptr);
  png_set_IHDR(png, info, 64, 40, depth, colour_type,
               interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  const png_color colours[] = {{9, 9, 9}, {200, 100, 50}};
  const png_byte alphas[] = {0, 255};  // of the palette
  if (colour_type == PNG_COLOR_TYPE_PALETTE) {
    png_set_PLTE(png, info, colours, 2);
    png_set_tRNS(png, info, alphas, 2, nullptr);
  }
  png_write_info(png, info);
  const int passes = png_set_interlace_handling(png);
  for (int i = 0; i < passes * 40; ++i) png_write_row(png, row.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return file;
}

// Linear light would make 188 of this grey.
TEST_F(PngTest, SixteenBitsWithoutAGammaAreScaledAsTheyAre) {
  std::vector<std::uint8_t> row;
  for (int i = 0; i < 64; ++i) row.insert(row.end(), {0x80, 0x00});
  expect_pixels(raw_png(16, PNG_COLOR_TYPE_GRAY, row), 128, 128, 128);
  row.clear();
  for (int i = 0; i < 64; ++i) row.insert(row.end(), {0x40, 0x40, 0x20, 0x20, 0x10, 0x10});
  expect_pixels(raw_png(16, PNG_COLOR_TYPE_RGB, row), 0x40, 0x20, 0x10);
}

TEST_F(PngTest, FewBitsAndInterlacedFilesAreRead) {
  expect_pixels(raw_png(1, PNG_COLOR_TYPE_GRAY, std::vector<std::uint8_t>(8, 0xFF)), 255, 255, 255);
  expect_pixels(raw_png(2, PNG_COLOR_TYPE_GRAY, std::vector<std::uint8_t>(16, 0x55)), 85, 85, 85);
  expect_pixels(raw_png(1, PNG_COLOR_TYPE_PALETTE, std::vector<std::uint8_t>(8, 0xFF)), 200, 100,
                50);
  expect_pixels(raw_png(1, PNG_COLOR_TYPE_PALETTE, std::vector<std::uint8_t>(8, 0x00)), 0, 0, 0);
  expect_pixels(raw_png(8, PNG_COLOR_TYPE_GRAY, std::vector<std::uint8_t>(64, 33), true), 33, 33,
                33);
  std::vector<std::uint8_t> row;
  for (int i = 0; i < 64; ++i) row.insert(row.end(), {90, 255});
  expect_pixels(raw_png(8, PNG_COLOR_TYPE_GRAY_ALPHA, row), 90, 90, 90);
}

TEST_F(PngTest, WhatIsWrittenIsReadAgain) {
  Pixels pixels = plain(40, 64, 10, 20, 30);
  pixels.rgb[3 * 64 + 1] = 200;
  EXPECT_EQ(decode_png(file(encode_png(pixels))).rgb, pixels.rgb);
}

/// With another size in its header, whose checksum is right.
std::string with_width(std::string png, std::uint32_t width) {
  constexpr std::size_t kHeader = 12, kHeaderBytes = 17;  // type and content of IHDR
  for (int i = 0; i < 4; ++i)
    png[kHeader + 4 + static_cast<std::size_t>(i)] = static_cast<char>(width >> (24 - 8 * i));
  std::uint32_t sum = 0xFFFFFFFF;  // CRC-32, ISO/IEC 15948 annex D
  for (std::size_t i = kHeader; i < kHeader + kHeaderBytes; ++i) {
    sum ^= static_cast<std::uint8_t>(png[i]);
    for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ (sum & 1 ? 0xEDB88320 : 0);
  }
  for (int i = 0; i < 4; ++i)
    png[kHeader + kHeaderBytes + static_cast<std::size_t>(i)] =
        static_cast<char>(~sum >> (24 - 8 * i));
  return png;
}

TEST_F(PngTest, HugeSizesAreRefusedBeforeMemoryIsTaken) {
  const std::string png = rgb_png();
  EXPECT_EQ(with_width(png, 64), png);
  for (const std::uint32_t width : {70'000U, 900'000U}) {
    const auto path = file(with_width(png, width));
    EXPECT_THAT(quick_png_problem(path), HasSubstr(concat(width, " x 40 pixels")));
    expect_refused(with_width(png, width), concat(width, " x 40 pixels"));
  }
}

TEST_F(PngTest, TheContentDecidesNotTheName) {
  EXPECT_EQ(decode_image(file(rgb_png())).rgb[2], 30);
  EXPECT_NEAR(decode_image(file(jpeg_of(plain(40, 64, 10, 20, 30)))).rgb[2], 30, 3);
}

}  // namespace
}  // namespace sweep::trainer
