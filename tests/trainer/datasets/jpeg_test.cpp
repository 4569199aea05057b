#include "trainer/datasets/jpeg.hpp"

#include <gmock/gmock.h>

#include <array>

#include "tests/trainer/datasets/sources.hpp"

namespace sweep::trainer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class JpegTest : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& bytes) {
    write_file(folder_ / "image.jpg", bytes);
    return folder_ / "image.jpg";
  }
  void expect_refused(const std::filesystem::path& path, const std::string& reason) {
    EXPECT_THAT(failure_of([&] { decode_jpeg(path); }, FailureType::bad_data),
                AllOf(HasSubstr(path.string()), HasSubstr(reason)));
  }

  /// Left half red, right half blue: rows, columns and channels can't be confused.
  static Pixels two_halves() {
    Pixels pixels = plain(40, 64, 0, 0, 250);
    for (std::size_t i = 0; i < 40 * 64; ++i)
      if (i % 64 < 32) pixels.rgb[3 * i] = 250, pixels.rgb[3 * i + 2] = 0;
    return pixels;
  }

  /// With the height of its header changed.
  static std::string with_size(std::string jpeg, int height, int width) {
    const std::size_t frame = jpeg.find("\xFF\xC0");
    for (const auto& [offset, value] : {std::pair(5, height), std::pair(7, width)}) {
      jpeg[frame + static_cast<std::size_t>(offset)] = static_cast<char>(value >> 8);
      jpeg[frame + static_cast<std::size_t>(offset) + 1] = static_cast<char>(value & 255);
    }
    return jpeg;
  }

  sweep::test_support::TemporaryFolder folder_;
};

TEST_F(JpegTest, PixelsAreRowsOfRgb) {
  const Pixels original = two_halves();
  const Pixels pixels = decode_jpeg(file(jpeg_of(original)));
  EXPECT_EQ(pixels.height, 40);
  EXPECT_EQ(pixels.width, 64);
  ASSERT_EQ(pixels.rgb.size(), original.rgb.size());
  for (std::size_t i = 0; i < pixels.rgb.size(); ++i)
    ASSERT_NEAR(pixels.rgb[i], original.rgb[i], 3) << i;
}

TEST_F(JpegTest, GreyscaleSubsampledAndProgressiveFilesAreRead) {
  const Pixels original = plain(33, 17, 120, 120, 120);
  for (const std::string& jpeg : {jpeg_of(original, TJSAMP_GRAY), jpeg_of(original, TJSAMP_420),
                                  jpeg_of(original, TJSAMP_444, TJFLAG_PROGRESSIVE)}) {
    const auto path = file(jpeg);
    EXPECT_EQ(quick_jpeg_problem(path), "");
    const Pixels pixels = decode_jpeg(path);
    ASSERT_EQ(pixels.rgb.size(), original.rgb.size());
    for (const auto value : pixels.rgb) ASSERT_NEAR(value, 120, 2);
  }
}

/// CMYK as Adobe's programs write it: 255 is no ink.
std::string cmyk_jpeg(std::uint8_t cyan, std::uint8_t magenta, std::uint8_t yellow,
                      std::uint8_t black) {
  std::vector<std::uint8_t> inks;
  for (int i = 0; i < 33 * 17; ++i) inks.insert(inks.end(), {cyan, magenta, yellow, black});
  const std::unique_ptr<void, int (*)(tjhandle)> handle(tjInitCompress(), tjDestroy);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): TurboJPEG's type
  EXPECT_EQ(tjCompress2(handle.get(), inks.data(), 17, 0, 33, TJPF_CMYK, &bytes, &size, TJSAMP_444,
                        95, 0),
            0);
  std::string file(reinterpret_cast<const char*>(bytes), size);
  tjFree(bytes);
  return file;
}

TEST_F(JpegTest, InksBecomeColours) {
  const struct {
    std::string jpeg;
    std::array<int, 3> rgb;
  } cases[] = {{cmyk_jpeg(200, 150, 100, 255), {200, 150, 100}},
               {cmyk_jpeg(200, 150, 100, 128), {100, 75, 50}},
               {cmyk_jpeg(255, 255, 255, 0), {0, 0, 0}}};
  for (const auto& [jpeg, rgb] : cases) {
    const auto path = file(jpeg);
    EXPECT_EQ(quick_jpeg_problem(path), "");
    const Pixels pixels = decode_jpeg(path);
    EXPECT_EQ(pixels.height, 33);
    ASSERT_EQ(pixels.rgb.size(), 3U * 33 * 17);
    for (std::size_t i = 0; i < pixels.rgb.size(); ++i) ASSERT_NEAR(pixels.rgb[i], rgb[i % 3], 3);
  }
}

TEST_F(JpegTest, FilesThatAreCutOffAreRefused) {
  const std::string jpeg = jpeg_of(two_halves());
  for (const std::size_t size : {jpeg.size() - 2, jpeg.size() / 2, std::size_t{700}}) {
    const auto path = file(jpeg.substr(0, size));
    EXPECT_THAT(quick_jpeg_problem(path), HasSubstr("cut off")) << size;
    expect_refused(path, "can't be decoded");
  }
}

TEST_F(JpegTest, FilesOfAnotherKindAreRefused) {
  for (const std::string text : {"\x89PNG\r\n\x1a\n and so on", "<html>not found</html>", "\xFF"}) {
    EXPECT_EQ(quick_jpeg_problem(file(text)), "is no JPEG image");
    expect_refused(file(text), "can't be decoded");
  }
  EXPECT_EQ(quick_jpeg_problem(file("")), "is empty");
  expect_refused(file(""), "can't be decoded");
  EXPECT_THAT(quick_jpeg_problem(folder_ / "none.jpg"), HasSubstr("can't be opened"));
}

TEST_F(JpegTest, DamageBetweenTheMarkersIsFound) {
  const auto hollow = file("\xFF\xD8\xFF nothing in here \xFF\xD9");
  EXPECT_THAT(quick_jpeg_problem(hollow), HasSubstr("damaged header"));
  std::string jpeg = jpeg_of(two_halves());
  const std::size_t pixels = jpeg.find("\xFF\xDA") + 20;
  jpeg.replace(pixels, jpeg.size() - 2 - pixels, jpeg.size() - 2 - pixels, '\xFE');
  expect_refused(file(jpeg), "can't be decoded");
}

TEST_F(JpegTest, HugeSizesAreRefusedBeforeMemoryIsTaken) {
  const auto path = file(with_size(jpeg_of(two_halves()), 60000, 60000));
  EXPECT_THAT(quick_jpeg_problem(path), HasSubstr("60000 x 60000 pixels"));
  expect_refused(path, "60000 x 60000 pixels");
  std::filesystem::resize_file(path, 257 << 20);  // a sparse file
  EXPECT_THAT(quick_jpeg_problem(path), HasSubstr("bytes"));
  expect_refused(path, "bytes");
}

TEST_F(JpegTest, PaddingBehindTheEndIsAccepted) {
  const auto path = file(jpeg_of(two_halves()) + std::string(1000, '\0'));
  EXPECT_EQ(quick_jpeg_problem(path), "");
  EXPECT_EQ(decode_jpeg(path).width, 64);
}

TEST_F(JpegTest, LargeMetadataIsAccepted) {
  // Three comments of 64 KiB push the size of the image behind what the quick check reads.
  std::string jpeg = jpeg_of(two_halves());
  for (int i = 0; i < 3; ++i) jpeg.insert(2, "\xFF\xFE\xFF\xFF" + std::string(65533, 'c'));
  EXPECT_EQ(quick_jpeg_problem(file(jpeg)), "");
  EXPECT_EQ(decode_jpeg(file(jpeg)).height, 40);
}

}  // namespace
}  // namespace sweep::trainer
