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

  sweep::testing::TemporaryFolder folder_;
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
  EXPECT_EQ(quick_image_problem(file("<html>")), "is no JPEG or PNG image");
  EXPECT_EQ(quick_image_problem(file("")), "is empty");
  EXPECT_THAT(quick_image_problem(folder_ / "none.png"), HasSubstr("can't be opened"));
}

TEST_F(PngTest, HugeSizesAreRefusedBeforeMemoryIsTaken) {
  std::string png = rgb_png();
  png[17] = '\x01';  // width 65600: the checksum of the header is then wrong as well
  expect_refused(png, "can't be decoded");
}

TEST_F(PngTest, TheContentDecidesNotTheName) {
  EXPECT_EQ(decode_image(file(rgb_png())).rgb[2], 30);
  EXPECT_NEAR(decode_image(file(jpeg_of(plain(40, 64, 10, 20, 30)))).rgb[2], 30, 3);
}

}  // namespace
}  // namespace sweep::trainer
