#include "trainer/datasets/png.hpp"

#include <png.h>

#include "core/text.hpp"

namespace sweep::trainer {
namespace {

constexpr char kSignature[] = "\x89PNG\r\n\x1A\n";

/// libpng's own reader of whole images, from memory.
class PngReader {
 public:
  explicit PngReader(const std::string& file) {
    image_.version = PNG_IMAGE_VERSION;
    readable_ = png_image_begin_read_from_memory(&image_, file.data(), file.size()) != 0;
  }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_image_free(&image_); }

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
    // Without it libpng takes 16 bits for linear light, which brightens what cameras and
    // converters write.
    image_.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
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
  const std::string problem = PngReader(ends.head).problem();
  // Large metadata can push the pixels behind the bytes read here: then decoding will tell.
  return ends.whole || problem.find("pixels") != std::string::npos ? problem : "";
}

Pixels decode_png(const std::filesystem::path& path) {
  const std::string file = read_image_file(path);
  PngReader reader(file);
  Pixels pixels;
  std::string problem = reader.problem();
  if (problem.empty()) problem = reader.read(pixels);
  if (!problem.empty()) throw BadImage(path, problem);
  return pixels;
}

std::string encode_png(const Pixels& pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(pixels.width);
  image.height = static_cast<png_uint_32>(pixels.height);
  image.format = PNG_FORMAT_RGB;
  std::string file(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
  png_alloc_size_t size = file.size();
  if (png_image_write_to_memory(&image, file.data(), &size, 0, pixels.rgb.data(), 0, nullptr) == 0)
    throw Error(FailureType::internal, concat("a PNG image can't be made (", image.message, ")"));
  file.resize(size);
  return file;
}

}  // namespace sweep::trainer
