#include "trainer/datasets/png.hpp"

#include <png.h>

#include "core/text.hpp"

namespace sweep::trainer {
namespace {

constexpr char kSignature[] = "\x89PNG\r\n\x1A\n";

/// libpng's own reader of whole images, from memory.
class Reader {
 public:
  explicit Reader(const std::string& file) {
    image_.version = PNG_IMAGE_VERSION;
    readable_ = png_image_begin_read_from_memory(&image_, file.data(), file.size()) != 0;
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_image_free(&image_); }

  /// Empty, or why the image can't be used.
  std::string problem() const {
    if (!readable_) return concat("can't be decoded as PNG (", image_.message, ")");
    return too_many_pixels(image_.width, image_.height);
  }

  /// Empty, or why the pixels can't be read.
  std::string read(Pixels& pixels) {
    pixels.width = image_.width;
    pixels.height = image_.height;
    image_.format = PNG_FORMAT_RGB;
    pixels.rgb.resize(PNG_IMAGE_SIZE(image_));
    const png_color black{0, 0, 0};
    const bool whole = png_image_finish_read(&image_, &black, pixels.rgb.data(), 0, nullptr) != 0;
    return whole ? "" : concat("can't be decoded as PNG (", image_.message, ")");
  }

 private:
  png_image image_{};
  bool readable_ = false;
};

}  // namespace

std::string quick_png_problem(const std::filesystem::path& path) {
  const FileEnds ends = read_ends(path);
  if (!ends.problem.empty()) return ends.problem;
  if (ends.head.rfind(kSignature, 0) != 0) return "is no PNG image";
  if (ends.tail.find("IEND") == std::string::npos) return "is cut off (it has no end marker)";
  const std::string problem = Reader(ends.head).problem();
  // Large metadata can push the pixels behind the bytes read here: then decoding will tell.
  return ends.whole || problem.find("pixels") != std::string::npos ? problem : "";
}

Pixels decode_png(const std::filesystem::path& path) {
  const std::string file = read_image_file(path);
  Reader reader(file);
  Pixels pixels;
  std::string problem = reader.problem();
  if (problem.empty()) problem = reader.read(pixels);
  if (!problem.empty()) throw bad_image(path, problem);
  return pixels;
}

}  // namespace sweep::trainer
