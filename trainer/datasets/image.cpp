#include "trainer/datasets/image.hpp"

#include <array>
#include <fstream>

#include "trainer/datasets/dicom.hpp"
#include "trainer/datasets/jpeg.hpp"
#include "trainer/datasets/png.hpp"

namespace sweep::trainer {
namespace {

constexpr std::streamoff kDicomMarkAt = 128;

/// One kind of image file.
struct Format {
  std::string (*quick_problem)(const std::filesystem::path&);
  Pixels (*decode)(const std::filesystem::path&);
};

/// Null for a file of another kind, or of none.
const Format* format_of(const std::filesystem::path& path) {
  static constexpr Format kJpeg{quick_jpeg_problem, decode_jpeg},
      kPng{quick_png_problem, decode_png}, kDicom{quick_dicom_problem, decode_dicom};
  std::array<char, kDicomMarkAt + 4> start{};
  std::ifstream(path, std::ios::binary).read(start.data(), start.size());
  const std::string_view text(start.data(), start.size());
  if (text.starts_with("\xFF\xD8\xFF")) return &kJpeg;
  if (text.starts_with("\x89PNG")) return &kPng;
  if (text.ends_with("DICM")) return &kDicom;
  return nullptr;
}

}  // namespace

std::string quick_image_problem(const std::filesystem::path& path) {
  if (const Format* format = format_of(path)) return format->quick_problem(path);
  const FileEnds ends = read_ends(path);
  return ends.problem.empty() ? "is no JPEG, PNG or DICOM image" : ends.problem;
}

Pixels decode_image(const std::filesystem::path& path) {
  if (const Format* format = format_of(path)) return format->decode(path);
  throw BadImage(path, quick_image_problem(path));
}

}  // namespace sweep::trainer
