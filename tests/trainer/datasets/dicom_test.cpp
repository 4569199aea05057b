// DCMTK's configuration has to stand before its other headers.
#include <dcmtk/config/osconfig.h>
//
#include <dcmtk/dcmdata/dcfilefo.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/dcmjpeg/djrplol.h>
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <algorithm>

#include "tests/trainer/datasets/dicom_files.hpp"
#include "tests/trainer/datasets/sources.hpp"
#include "trainer/datasets/dicom.hpp"
#include "trainer/datasets/image.hpp"

namespace sweep::trainer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// 4 rows of 8 values: 0, step, 2 step, ...
std::string values(int step, int bytes, int first = 0) {
  std::string text;
  for (int i = 0; i < 32; ++i) text += little(static_cast<std::uint64_t>(first + i * step), bytes);
  return text;
}

DicomFile grey(int bits) {
  DicomFile file{.rows = 4, .columns = 8, .bits_allocated = bits > 8 ? 16 : 8, .bits_stored = bits};
  file.pixels = bits > 8 ? values(100, 2) : values(7, 1);
  return file;
}

std::string decimal(int number, double value) {
  return element(0x28, number, "DS", concat(value));
}

std::string window(double centre, double width) {
  return decimal(0x1050, centre) + decimal(0x1051, width);
}

class DicomTest : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& bytes) {
    write_file(folder_ / "image.dcm", bytes);
    return folder_ / "image.dcm";
  }
  Pixels decode(const DicomFile& dicom) {
    const auto path = file(dicom.bytes());
    EXPECT_EQ(quick_image_problem(path), "");
    return decode_image(path);
  }
  /// Value `i` is expected to show as expected(i).
  template <class Expected>
  void expect_grey(const DicomFile& dicom, const Expected& expected, int tolerance = 1) {
    const Pixels pixels = decode(dicom);
    ASSERT_EQ(pixels.height, 4);
    ASSERT_EQ(pixels.width, 8);
    ASSERT_EQ(pixels.rgb.size(), 3U * 32);
    for (int i = 0; i < 32; ++i)
      for (int c = 0; c < 3; ++c)
        EXPECT_NEAR(pixels.rgb[static_cast<std::size_t>(3 * i + c)], expected(i), tolerance) << i;
  }
  void expect_refused(const std::string& bytes, const std::string& reason) {
    const auto path = file(bytes);
    EXPECT_THAT(failure_of([&] { decode_dicom(path); }, FailureType::bad_data),
                AllOf(HasSubstr(path.string()), HasSubstr(reason)));
  }
  /// Refused by the quick check too.
  void expect_refused_at_once(const std::string& bytes, const std::string& reason) {
    EXPECT_THAT(quick_dicom_problem(file(bytes)), HasSubstr(reason));
    expect_refused(bytes, reason);
  }

  sweep::test_support::TemporaryFolder folder_;
};

TEST_F(DicomTest, EightBitsAreTakenAsTheyAre) {
  expect_grey(
      grey(8), [](int i) { return 7 * i; }, 0);
}

TEST_F(DicomTest, Monochrome1IsInverted) {
  DicomFile file = grey(8);
  file.photometric = "MONOCHROME1";
  expect_grey(file, [](int i) { return 255 - 7 * i; });
}

TEST_F(DicomTest, MoreBitsAreSpreadFromTheLowestToTheHighest) {
  for (const int bits : {12, 16}) {
    DicomFile file = grey(bits);
    expect_grey(file, [](int i) { return i * 255.0 / 31; });
    file.photometric = "MONOCHROME1";
    expect_grey(file, [](int i) { return 255 - i * 255.0 / 31; });
  }
  DicomFile negative = grey(16);
  negative.is_signed = true;
  negative.pixels = values(100, 2, -1500);
  expect_grey(negative, [](int i) { return i * 255.0 / 31; });
}

TEST_F(DicomTest, AWindowIsAppliedBehindTheRescaling) {
  DicomFile file = grey(12);
  file.more_of_0028 = window(1500, 1000);  // 1000 is black, 2000 is white
  const auto shown = [](double value) { return std::clamp((value - 1000) / 1000, 0.0, 1.0) * 255; };
  expect_grey(file, [&](int i) { return shown(100 * i); });
  file.more_of_0028 += decimal(0x1052, -500) + decimal(0x1053, 2);
  expect_grey(file, [&](int i) { return shown(200 * i - 500); });
  file.bits_stored = 16;
  file.photometric = "MONOCHROME1";
  expect_grey(file, [&](int i) { return 255 - shown(200 * i - 500); });
  file.more_of_0028 = window(100, 0);  // no window can be that narrow
  expect_grey(file, [](int i) { return 255 - i * 255.0 / 31; });
}

TEST_F(DicomTest, AConstantImageIsRead) {
  DicomFile file = grey(16);
  file.pixels = values(0, 2, 777);
  const Pixels pixels = decode(file);
  for (const auto value : pixels.rgb) EXPECT_EQ(value, pixels.rgb.front());
}

TEST_F(DicomTest, ColourStaysColour) {
  DicomFile file{.rows = 4, .columns = 8, .samples = 3, .photometric = "RGB"};
  for (const auto value : plain(4, 8, 10, 20, 30).rgb) file.pixels += static_cast<char>(value);
  const Pixels pixels = decode(file);
  for (std::size_t i = 0; i < 3 * 32; ++i) EXPECT_EQ(pixels.rgb[i], 10 * (i % 3 + 1));
}

TEST_F(DicomTest, JpegIsDecoded) {
  const Pixels shape = plain(40, 64, 120, 120, 120);
  for (const bool in_two_pieces : {false, true}) {
    DicomFile file{.rows = 40, .columns = 64, .pixels = jpeg_of(shape, TJSAMP_GRAY)};
    file.syntax = kJpegSyntax;
    const std::size_t half = file.pixels.size() / 2 & ~std::size_t{1};
    if (in_two_pieces)
      file.pixel_element =
          DicomFile::pieces({file.pixels.substr(0, half), file.pixels.substr(half)});
    const Pixels pixels = decode(file);
    ASSERT_EQ(pixels.rgb.size(), shape.rgb.size());
    for (const auto value : pixels.rgb) ASSERT_NEAR(value, 120, 2);
  }
}

TEST_F(DicomTest, LargeMetadataIsAccepted) {
  DicomFile file{.rows = 40, .columns = 64, .pixels = jpeg_of(plain(40, 64, 9, 9, 9), TJSAMP_GRAY)};
  file.syntax = kJpegSyntax;
  file.more_before = element(9, 0x1001, "UN", std::string(300'000, 'x'));
  EXPECT_EQ(decode(file).width, 64);
  file.more_before.clear();
  file.pixel_element = file.made_pixel_element() +
                       element(0xFFFC, 0xFFFC, "OB", std::string(300'000, '\0'));  // padding
  EXPECT_EQ(decode(file).width, 64);
}

TEST_F(DicomTest, LosslessJpegOfSixteenBitsIsDecoded) {
  const auto path = file(grey(16).bytes());
  DJEncoderRegistration::registerCodecs();
  DcmFileFormat dicom;
  ASSERT_TRUE(dicom.loadFile(path.c_str()).good());
  DJ_RPLossless parameters;
  ASSERT_TRUE(dicom.getDataset()->chooseRepresentation(EXS_JPEGProcess14SV1, &parameters).good());
  ASSERT_TRUE(dicom.saveFile(path.c_str(), EXS_JPEGProcess14SV1).good());
  DJEncoderRegistration::cleanup();
  EXPECT_EQ(quick_dicom_problem(path), "");
  const Pixels pixels = decode_dicom(path);
  for (std::size_t i = 0; i < 32; ++i)
    EXPECT_NEAR(pixels.rgb[3 * i], static_cast<double>(i) * 255 / 31, 1);
}

TEST_F(DicomTest, FilesOfAnotherKindAreRefused) {
  EXPECT_EQ(quick_dicom_problem(file("<html>")), "is no DICOM file");
  EXPECT_EQ(quick_dicom_problem(file("")), "is empty");
  expect_refused("<html>", "can't be read as DICOM");
  expect_refused("", "can't be read as DICOM");
  expect_refused_at_once(std::string(128, '\0') + "DICM", "can't be read as DICOM");
  DicomFile file = grey(8);
  file.syntax = "1.2.840.10008.1.2.4.90";  // JPEG 2000
  expect_refused_at_once(file.bytes(), "is compressed as 'JPEG 2000");
  file.syntax = "1.2.840.10008.1.2.1.99";
  expect_refused_at_once(file.bytes(), "is compressed as 'Deflated");
}

TEST_F(DicomTest, FilesThatAreCutOffAreRefused) {
  const std::string plain_file = grey(8).bytes();
  for (const std::size_t size : {plain_file.size() - 1, plain_file.size() - 30, std::size_t{200}})
    EXPECT_THAT(
        failure_of([&] { decode_dicom(file(plain_file.substr(0, size))); }, FailureType::bad_data),
        HasSubstr("image.dcm"))
        << size;
  DicomFile jpeg{.rows = 40, .columns = 64, .pixels = jpeg_of(plain(40, 64, 1, 2, 3), TJSAMP_GRAY)};
  jpeg.syntax = kJpegSyntax;
  const std::string whole = jpeg.bytes();
  for (const std::size_t size : {whole.size() - 8, whole.size() - 300})
    EXPECT_THAT(quick_dicom_problem(file(whole.substr(0, size))), HasSubstr("cut off")) << size;
  jpeg.pixels.resize(jpeg.pixels.size() - 40);
  expect_refused(jpeg.bytes(), "cut off");
}

TEST_F(DicomTest, PixelsThatAreMissingAreNoticed) {
  DicomFile file = grey(8);
  file.pixel_element = "";
  expect_refused(file.bytes(), "has no pixels");
  file.pixel_element = element(0x7FE0, 0x10, "OB", "abcd");
  expect_refused(file.bytes(), "too few pixels");
  file.syntax = kJpegSyntax;
  file.pixel_element = DicomFile::pieces({});
  expect_refused(file.bytes(), "has no pixels");
  file.pixel_element = DicomFile::pieces({"no JPEG"});
  expect_refused(file.bytes(), "is damaged");
}

TEST_F(DicomTest, ImpossibleSizesAreRefusedBeforeMemoryIsTaken) {
  DicomFile file = grey(8);
  file.rows = file.columns = 65535;
  expect_refused_at_once(file.bytes(), "65535 x 65535 pixels");
  file.rows = 0;
  expect_refused_at_once(file.bytes(), "names no size");
  file = grey(8);
  for (const std::string frames : {"2", "1000000000", "-1"}) {
    file.frames = frames;
    expect_refused_at_once(file.bytes(), frames + " frames");
  }
  file = grey(8);
  file.samples = 200;
  expect_refused_at_once(file.bytes(), "200 values per pixel");
  file = grey(8);
  file.bits_allocated = 64;
  expect_refused_at_once(file.bytes(), "64 bits per value");
}

TEST_F(DicomTest, AJpegOfAnotherSizeIsRefused) {
  DicomFile file{.rows = 40, .columns = 64};
  file.pixels = jpeg_of(plain(2000, 3000, 1, 2, 3), TJSAMP_GRAY, TJFLAG_PROGRESSIVE);
  file.syntax = kJpegSyntax;
  expect_refused(file.bytes(), "the JPEG in it is 3000 x 2000 pixels");
}

TEST_F(DicomTest, ADamagedJpegIsRefused) {
  std::string jpeg = jpeg_of(plain(400, 640, 120, 120, 120), TJSAMP_GRAY);
  const std::size_t pixels = jpeg.find("\xFF\xDA") + 14;
  DicomFile file{.rows = 400, .columns = 640};
  file.syntax = kJpegSyntax;
  file.pixels = jpeg.substr(0, pixels) + std::string(100, '\xFE') + "\xFF\xD9";
  expect_refused(file.bytes(), "can't be decoded as DICOM");
  file.pixels = jpeg.substr(0, pixels + 40) + "\xFF\xD9";  // cut off, and closed by someone
  expect_refused(file.bytes(), "can't be decoded as DICOM");
}

/// Bytes of memory that this process has used at its peak.
std::int64_t peak_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return 1024 * static_cast<std::int64_t>(usage.ru_maxrss);
}

TEST_F(DicomTest, LengthsThatLieTakeNoMemory) {
  const std::int64_t before = peak_memory();
  DicomFile file = grey(8);
  const std::string head = little(0x7FE0, 2) + little(0x10, 2) + std::string("OB\0\0", 4);
  for (const std::uint64_t length : {0x7FFFFFF0U, 0xFFFFFFF0U}) {
    file.pixel_element = head + little(length, 4) + "abc";
    expect_refused(file.bytes(), "can't be read as DICOM");
    file.pixel_element = {};
    file.more_before =
        little(8, 2) + little(0x2111, 2) + std::string("UN\0\0", 4) + little(length, 4);
    expect_refused(file.bytes(), "can't be read as DICOM");
    file.more_before.clear();
  }
#ifdef __SANITIZE_ADDRESS__
  constexpr std::int64_t kMost = 600 << 20;  // it keeps 256 MB of what is freed for a while
#else
  constexpr std::int64_t kMost = 100 << 20;
#endif
  EXPECT_LT(peak_memory() - before, kMost);
}

// Sequences in sequences are read by recursion.
TEST_F(DicomTest, DeepNestingIsRefused) {
  DicomFile file = grey(8);
  const std::string level = little(8, 2) + little(0x1140, 2) + std::string("SQ\0\0", 4) +
                            little(0xFFFFFFFF, 4) + little(0xFFFE, 2) + little(0xE000, 2) +
                            little(0xFFFFFFFF, 4);
  for (int i = 0; i < 900; ++i) file.more_before += level;
  expect_refused(file.bytes(), "can't be read as DICOM");  // they are never closed
  for (int i = 0; i < 200'000; ++i) file.more_before += level;
  expect_refused_at_once(file.bytes(), "nested");
}

TEST_F(DicomTest, DamageIsNoCrash) {
  DicomFile jpeg{.rows = 40, .columns = 64, .pixels = jpeg_of(plain(40, 64, 1, 2, 3), TJSAMP_GRAY)};
  jpeg.syntax = kJpegSyntax;
  for (const std::string& whole : {grey(8).bytes(), grey(16).bytes(), jpeg.bytes()})
    for (std::size_t at = 132; at < std::min<std::size_t>(whole.size(), 700); at += 3)
      for (const char byte : {'\0', '\xFF'}) {
        std::string damaged = whole;
        damaged[at] = byte;
        const auto path = file(damaged);
        quick_dicom_problem(path);
        try {
          decode_dicom(path);
        } catch (const BadImage&) {
        }
      }
}

}  // namespace
}  // namespace sweep::trainer
