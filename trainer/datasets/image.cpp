#include "trainer/datasets/image.hpp"

#include <array>
#include <fstream>

#include "trainer/datasets/jpeg.hpp"
#include "trainer/datasets/png.hpp"

namespace sweep::trainer {
namespace {

enum class Format { jpeg, png, other };

Format format_of(const std::filesystem::path& path) {
  std::array<char, 4> start{};
  std::ifstream(path, std::ios::binary).read(start.data(), start.size());
  const std::string_view text(start.data(), start.size());
  if (text.substr(0, 3) == "\xFF\xD8\xFF") return Format::jpeg;
  if (text == "\x89PNG") return Format::png;
  return Format::other;
}

}  // namespace

std::string quick_image_problem(const std::filesystem::path& path) {
  switch (format_of(path)) {
    case Format::jpeg:
      return quick_jpeg_problem(path);
    case Format::png:
      return quick_png_problem(path);
    case Format::other:
      break;
  }
  const FileEnds ends = read_ends(path);
  return ends.problem.empty() ? "is no JPEG or PNG image" : ends.problem;
}

Pixels decode_image(const std::filesystem::path& path) {
  switch (format_of(path)) {
    case Format::jpeg:
      return decode_jpeg(path);
    case Format::png:
      return decode_png(path);
    case Format::other:
      break;
  }
  throw bad_image(path, quick_image_problem(path));
}

}  // namespace sweep::trainer
